import { BadAnswerError, InvalidInputError } from '../errors.ts'
import { lengthFrom } from './answers.ts'

/** A part of a file: from byte `first` to byte `last`, both included, or to the end; or the last `suffix` bytes. */
export type Range = { readonly first: number; readonly last?: number } | { readonly suffix: number }

/** Which bytes an answer holds. */
export interface Part {
  /** Where the wanted bytes begin in the file. */
  readonly first: number
  /** How many are wanted; `null` for all that come. */
  readonly length: number | null
  /** How many come before them, from a server that does not know of ranges. */
  readonly skip: number
  /** Whether it is to end before the file does, for all that one knows. */
  readonly isRange: boolean
  /** Bytes of the whole file; `null` where the server does not say. */
  readonly fileSize: number | null
}

/** @throws {InvalidInputError} */
export function rangeHeader(range: Range): string {
  const bounds = 'suffix' in range ? [range.suffix] : [range.first, range.last ?? range.first]
  if (!bounds.every((bound) => Number.isSafeInteger(bound) && bound >= 0)) {
    throw new InvalidInputError('the bounds of a range must be whole numbers of bytes')
  }
  if ('suffix' in range) return `bytes=-${range.suffix}`
  return `bytes=${range.first}-${range.last ?? ''}`
}

/** @throws {BadAnswerError} where the answer holds other bytes than its headers or the request say */
export function partFrom(response: Response, range: Range | undefined): Part {
  return response.status === 206 ? partial(response.headers) : whole(lengthFrom(response.headers), range)
}

function partial(headers: Headers): Part {
  const [, first, last, size] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers.get('content-range') ?? '') ?? []
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new BadAnswerError('the reader sent a part of the file without saying which')
  }
  const length = Number(last) - Number(first) + 1
  return {
    first: Number(first),
    length,
    skip: 0,
    isRange: true,
    fileSize: size === '*' ? null : Number(size),
  }
}

function whole(fileSize: number | null, range: Range | undefined): Part {
  if (range === undefined) return { first: 0, length: fileSize, skip: 0, isRange: false, fileSize }
  if (fileSize === null)
    throw new BadAnswerError('the reader knows neither ranges nor the length of the file')
  const first = Math.min('suffix' in range ? Math.max(0, fileSize - range.suffix) : range.first, fileSize)
  const last = 'suffix' in range ? fileSize - 1 : Math.min(range.last ?? fileSize - 1, fileSize - 1)
  return { first, length: last - first + 1, skip: first, isRange: true, fileSize }
}
