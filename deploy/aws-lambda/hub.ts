import { lambdaHandler } from './handle.ts'

export const handler = await lambdaHandler('hub')
