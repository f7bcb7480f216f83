import type {
  BucketPage,
  ListBucketsOptions,
  ListOptions,
  ListPage,
  ObjectInfo,
  ReadOptions,
  ReadResult,
} from '../driver.ts'
import type { Key } from '../key.ts'
import { statCurrent } from './current-version.ts'
import { asDriver } from './errors.ts'
import { placeOf } from './layout.ts'
import { listPage } from './list.ts'
import { listBuckets } from './list-buckets.ts'
import { readFile } from './read.ts'
import { infoOf } from './version.ts'

/** What every driver over a folder does without changing anything in it: no lock and no file of its own is needed. */
export class DiskReads {
  readonly name = 'disk'
  readonly capabilities = { atomicConditions: true, atomicDeletes: true, presign: false, range: true }
  readonly #root: string

  /** @param root a real path */
  constructor(root: string) {
    this.#root = root
  }

  stat(key: Key): Promise<ObjectInfo | null> {
    return asDriver(async () => {
      const current = await statCurrent(placeOf(this.#root, key))
      return current === null ? null : infoOf(current)
    })
  }

  read(key: Key, options: ReadOptions = {}): Promise<ReadResult | null> {
    return asDriver(() => readFile(placeOf(this.#root, key), options))
  }

  list(prefix: string, options: ListOptions): Promise<ListPage> {
    return asDriver(() => listPage(this.#root, prefix, options))
  }

  listBuckets(options: ListBucketsOptions): Promise<BucketPage> {
    return asDriver(() => listBuckets(this.#root, options))
  }
}
