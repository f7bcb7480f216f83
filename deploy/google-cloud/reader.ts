import { cloudFunction } from './handle.ts'

/** The function, by the name that `--entry-point` tells. */
export const reader = await cloudFunction('reader')
