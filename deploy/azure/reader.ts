import { azureFunction } from './handle.ts'

export const reader = await azureFunction('reader')
