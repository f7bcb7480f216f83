import { expect } from 'chai'
import { parseAddress, parsePath } from '../../drivers/key.ts'
import { historyKey } from '../../hub/history.ts'
import { alice } from './people.ts'

describe('names of former versions', () => {
  const keyAt = (ms: number) => historyKey(parseAddress(alice.address), parsePath('diary/today'), ms)

  it('of one millisecond are in the order in which they were made', () => {
    const keys = Array.from({ length: 62 }, () => keyAt(1_700_000_000_000))
    expect(keys.toSorted()).to.deep.equal(keys)
    expect(keyAt(1_700_000_000_001) > (keys.at(-1) ?? '')).to.equal(true)
  })

  it('differ, however many are made in one millisecond', () => {
    const keys = Array.from({ length: 1000 }, () => keyAt(1_700_000_000_002))
    expect(new Set(keys).size).to.equal(keys.length)
    for (const key of keys) expect(key).to.match(/\/diary\/\.history\.1700000000002\.[A-Za-z0-9]{10}\.today$/)
  })
})
