import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { checkCondition } from '../../drivers/condition.ts'
import { failure } from '../../drivers/conformance/harness.ts'
import { DriverError } from '../../drivers/errors.ts'
import { type ProbeTarget, probeName, probeStorage, requireConditions } from '../../drivers/probe.ts'

interface Flaws {
  ignoresIfMatch?: boolean
  ignoresIfNoneMatch?: boolean
  ignoresIfMatchOfDelete?: boolean
  deletesNothingGladly?: boolean
  refusesEveryIfMatch?: boolean
  forgets?: boolean
  listsNothing?: boolean
  keepsWhatIsDeleted?: boolean
  fails?: keyof ProbeTarget
}

/** A storage in memory that does what is asked of it, but for its flaws. */
function storageWith(flaws: Flaws) {
  const held = new Map<string, { bytes: Uint8Array; etag: string }>()
  const failing = (step: keyof ProbeTarget): void => {
    if (flaws.fails === step) throw new DriverError('backend', 'access denied')
  }
  const etagOf = (name: string): string | null => held.get(name)?.etag ?? null
  const target: ProbeTarget = {
    async write(name, bytes, condition) {
      failing('write')
      const isIgnored =
        condition !== undefined &&
        ('ifMatch' in condition ? flaws.ignoresIfMatch : flaws.ignoresIfNoneMatch) === true
      if (!isIgnored) checkCondition(condition, etagOf(name))
      if (flaws.refusesEveryIfMatch === true && condition !== undefined) checkCondition(condition, 'none')
      const etag = randomUUID()
      held.set(name, { bytes: flaws.forgets === true ? Buffer.alloc(0) : bytes, etag })
      return etag
    },
    async read(name) {
      failing('read')
      return held.get(name)?.bytes ?? null
    },
    async list(prefix) {
      failing('list')
      return flaws.listsNothing === true ? [] : [...held.keys()].filter((name) => name.startsWith(prefix))
    },
    async delete(name, condition) {
      failing('delete')
      const isGone = flaws.deletesNothingGladly === true && etagOf(name) === null
      if (flaws.ignoresIfMatchOfDelete !== true && !isGone) checkCondition(condition, etagOf(name))
      if (flaws.keepsWhatIsDeleted !== true) held.delete(name)
    },
  }
  return { target, held }
}

describe('the probe of a storage', () => {
  const rows: ReadonlyArray<readonly [title: string, flaws: Flaws, writes: boolean, deletes: boolean]> = [
    ['holds to conditions', {}, true, true],
    ['ignores If-Match', { ignoresIfMatch: true }, false, true],
    ['ignores If-None-Match', { ignoresIfNoneMatch: true }, false, true],
    ['knows no etag again', { refusesEveryIfMatch: true }, false, true],
    ['ignores If-Match of deletes', { ignoresIfMatchOfDelete: true }, true, false],
    ['deletes nothing gladly', { deletesNothingGladly: true }, true, false],
  ]
  for (const [title, flaws, conditionalWrites, conditionalDeletes] of rows) {
    it(`finds one that ${title}, and leaves nothing in it`, async () => {
      const { target, held } = storageWith(flaws)
      expect(await probeStorage(target)).to.deep.equal({ conditionalWrites, conditionalDeletes })
      expect([...held.keys()]).to.deep.equal([])
    })
  }

  for (const [title, flaws, message] of [
    ['cannot be written', { fails: 'write' }, /write an object: access denied/],
    ['cannot be read', { fails: 'read' }, /read an object: access denied/],
    ['cannot be listed', { fails: 'list' }, /list objects: access denied/],
    ['cannot be deleted from', { fails: 'delete' }, /delete an object: access denied/],
    ['forgets', { forgets: true }, /does not hold what was just written/],
    ['lists nothing', { listsNothing: true }, /does not list/],
    ['keeps what is deleted', { keepsWhatIsDeleted: true }, /still holds/],
  ] as ReadonlyArray<readonly [string, Flaws, RegExp]>) {
    it(`refuses one that ${title}, and says so`, async () => {
      const { target, held } = storageWith(flaws)
      expect((await failure(probeStorage(target), 'backend')).message).to.match(message)
      const stays = flaws.keepsWhatIsDeleted === true || flaws.fails === 'delete'
      if (!stays) expect([...held.keys()]).to.deep.equal([])
    })
  }

  it('uses a name that no owner can have, and another one each time', () => {
    expect(probeName()).to.match(/^\.mandate-probe\/\w{24}$/)
    expect(probeName()).to.not.equal(probeName())
  })

  it('a storage without conditions is taken only where that was accepted', async () => {
    const probed = { conditionalWrites: false, conditionalDeletes: false }
    expect(() => requireConditions(probed, false)).to.throw(DriverError, 'allowUnsafeConditions')
    expect(requireConditions(probed, true)).to.equal(false)
    expect(requireConditions({ ...probed, conditionalWrites: true }, false)).to.equal(true)
  })
})
