import { opendir } from 'node:fs/promises'
import type { Driver } from '../driver.ts'
import { refuse } from '../read-only.ts'
import { asDriver } from './errors.ts'
import { DiskReads } from './reads.ts'

/** The driver over a folder for those who only read. */
export class DiskReader extends DiskReads implements Driver {
  readonly #root: string

  /** @param root a real path */
  constructor(root: string) {
    super(root)
    this.#root = root
  }

  async check(): Promise<void> {
    await asDriver(async () => (await opendir(this.#root)).close())
  }

  async close(): Promise<void> {}

  write: Driver['write'] = refuse
  delete: Driver['delete'] = refuse
  copy: Driver['copy'] = refuse
}
