import { expect } from 'chai'
import { type Choices, decide, type Plan } from '../../deploy/process/copy/decide.ts'
import type { ObjectInfo } from '../../drivers/driver.ts'

const version = (etag: string, more: Partial<ObjectInfo> = {}): ObjectInfo => ({
  etag,
  size: 3,
  contentType: 'text/plain',
  lastModifiedMs: 1_700_000_000_000,
  ...more,
})

const here = version('s1')
const there = version('t1')
const entry = { from: here, to: there }
const laterHere = version('s2', { size: 4 })
const laterThere = version('t2', { size: 5 })

const rows: ReadonlyArray<
  readonly [
    title: string,
    sides: [source: ObjectInfo | null, target: ObjectInfo | null, known: boolean],
    plan: Plan['do'],
    chosen?: readonly [choice: Partial<Choices>, plan: Plan['do']],
  ]
> = [
  ['a file that is not there is created', [here, null, false], 'create'],
  ['a file that an earlier run copied is left in peace', [here, there, true], 'nothing'],
  ['a file that changed at the source follows it', [laterHere, there, true], 'replace'],
  [
    'a type that changed at the source follows it, where etags are made of the bytes alone',
    [version('s1', { contentType: 'a/b', lastModifiedMs: 1_700_000_001_000 }), there, true],
    'replace',
  ],
  [
    'a file that changed at the destination stays',
    [here, laterThere, true],
    'conflict',
    [{ overwrite: true }, 'replace'],
  ],
  [
    'a file that changed on both sides stays',
    [laterHere, laterThere, true],
    'conflict',
    [{ overwrite: true }, 'replace'],
  ],
  [
    'a file that was deleted at the destination stays so',
    [here, null, true],
    'conflict',
    [{ overwrite: true }, 'create'],
  ],
  [
    'a file that was deleted at the destination and changed at the source stays so',
    [laterHere, null, true],
    'conflict',
    [{ overwrite: true }, 'create'],
  ],
  [
    'a file of another size that no run copied stays',
    [here, laterThere, false],
    'conflict',
    [{ overwrite: true }, 'replace'],
  ],
  [
    'a file of another type that no run copied stays',
    [here, version('t1', { contentType: 'a/b' }), false],
    'conflict',
  ],
  ['a file of the same size and type that no run copied is compared', [here, there, false], 'compare'],
  [
    'a file of the same size that changed at the destination is compared',
    [here, version('t2'), true],
    'compare',
    [{ overwrite: true }, 'compare'],
  ],
  ['what the destination alone has is no business of ours', [null, there, false], 'ignore'],
  ['what is gone at the source stays', [null, there, true], 'leave', [{ deleteGone: true }, 'delete']],
  [
    'what is gone at the source and changed at the destination is no business of ours any more',
    [null, laterThere, true],
    'ignore',
    [{ deleteGone: true, overwrite: true }, 'ignore'],
  ],
  ['what is gone on both sides is forgotten', [null, null, true], 'ignore'],
]

describe('what is done about one key', () => {
  const none = { overwrite: false, deleteGone: false }
  for (const [title, [source, target, known], plan, chosen] of rows) {
    it(title, () => {
      const sides = { source, target, entry: known ? entry : null }
      expect(decide(sides, none).do).to.equal(plan)
      if (chosen !== undefined) expect(decide(sides, { ...none, ...chosen[0] }).do).to.equal(chosen[1])
    })
  }

  it('replaces exactly the version that was seen', () => {
    expect(decide({ source: laterHere, target: there, entry }, none)).to.include({ etag: 't1' })
    expect(decide({ source: null, target: there, entry }, { ...none, deleteGone: true })).to.include({
      etag: 't1',
    })
  })
})
