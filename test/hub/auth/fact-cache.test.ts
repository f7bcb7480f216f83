import { expect } from 'chai'
import { FactCache, type FactCacheOptions } from '../../../hub/auth/fact-cache.ts'

interface Fact {
  value: number
}

/** A storage of numbers, each load of which a test answers by hand, and a cache over it with a clock by hand. */
function setUp(options: Partial<FactCacheOptions<Fact>> = {}) {
  const loads: { name: string; answer: (value: number) => void; fail: (error: Error) => void }[] = []
  const time = { ms: 1000 }
  const cache = new FactCache<Fact>({
    maxEntries: 10,
    maxAgeMs: 100,
    load: (name) =>
      new Promise((resolve, reject) => {
        loads.push({ name, answer: (value) => resolve({ value }), fail: reject })
      }),
    merge: (known, loaded) => (known.value > loaded.value ? known : loaded),
    monotonicNow: () => time.ms,
    ...options,
  })
  const answer = (value: number) => loads.at(-1)?.answer(value)
  /** Looks a fact up and lets storage say this of it, if it is asked. */
  const get = async (name: string, value = -1): Promise<number> => {
    const before = loads.length
    const fact = cache.get(name)
    if (loads.length > before) answer(value)
    return (await fact).value
  }
  return { cache, loads, time, answer, get }
}

describe('the cache of facts', () => {
  it('asks storage once within the age of a fact, and again after it', async () => {
    const { get, loads, time } = setUp()
    expect(await get('a', 1)).to.equal(1)
    time.ms += 99
    expect(await get('a', 2)).to.equal(1)
    expect(loads).to.have.length(1)
    time.ms += 1
    expect(await get('a', 2)).to.equal(2)
    expect(loads).to.have.length(2)
  })

  it('remembers what is not there like anything else', async () => {
    const { get, loads } = setUp()
    expect(await get('absent', 0)).to.equal(0)
    expect(await get('absent', 5)).to.equal(0)
    expect(loads).to.have.length(1)
  })

  it('joins look-ups of one fact that are made at the same time, and of no other', async () => {
    const { cache, loads } = setUp()
    const waiting = [cache.get('a'), cache.get('a'), cache.get('b'), cache.get('a')]
    expect(loads.map(({ name }) => name)).to.deep.equal(['a', 'b'])
    loads[0]?.answer(1)
    loads[1]?.answer(2)
    expect(await Promise.all(waiting.map(async (fact) => (await fact).value))).to.deep.equal([1, 1, 2, 1])
  })

  it('counts the age from when the read began, since what came later may not be in it', async () => {
    const { cache, get, loads, time, answer } = setUp()
    const slow = cache.get('a')
    time.ms += 100
    answer(1)
    await slow
    expect(await get('a', 2)).to.equal(2)
    expect(loads).to.have.length(2)
  })

  it('tells everyone who waits of a failure, keeps nothing of it, and asks again', async () => {
    const { cache, get, loads } = setUp()
    const waiting = [cache.get('a'), cache.get('a')].map(async (fact) => {
      try {
        return await fact
      } catch (error) {
        return error
      }
    })
    const failure = new Error('storage is away')
    loads[0]?.fail(failure)
    expect(await Promise.all(waiting)).to.deep.equal([failure, failure])
    expect(await get('a', 3)).to.equal(3)
  })

  it('does not serve what it knew where storage fails after its age', async () => {
    const { cache, get, loads, time } = setUp()
    await get('a', 1)
    time.ms += 100
    const fact = cache.get('a')
    loads.at(-1)?.fail(new Error('storage is away'))
    const outcome = await Promise.allSettled([fact])
    expect(outcome[0]?.status).to.equal('rejected')
  })

  it('uses at once what this hub has made true', async () => {
    const { cache, get, loads } = setUp()
    await get('a', 1)
    cache.learn('a', { value: 7 })
    expect(await get('a')).to.equal(7)
    expect(loads).to.have.length(1)
  })

  it('never lets a slow read undo what this hub has made true meanwhile', async () => {
    const { cache, get, answer, time } = setUp()
    const slow = cache.get('a')
    cache.learn('a', { value: 7 })
    answer(1)
    expect((await slow).value).to.equal(7)
    expect(await get('a')).to.equal(7)
    time.ms += 100
    // Nor a later one from a storage that lags behind.
    expect(await get('a', 2)).to.equal(7)
  })

  it('still asks for a fact of which it has learnt only a part', async () => {
    const { cache, get, loads } = setUp()
    cache.learnPart('a', { value: 7 })
    expect(await get('a', 3)).to.equal(7)
    expect(loads).to.have.length(1)
    expect(await get('a', 3)).to.equal(7)
    expect(loads).to.have.length(1)
  })

  it('keeps the age of a fact when it learns a part of it', async () => {
    const { cache, get, loads, time } = setUp()
    await get('a', 1)
    time.ms += 50
    cache.learnPart('a', { value: 7 })
    expect(await get('a')).to.equal(7)
    time.ms += 50
    expect(await get('a', 9)).to.equal(9)
    expect(loads).to.have.length(2)
  })

  it('asks for every use with an age of 0, and never joins', async () => {
    const { cache, loads } = setUp({ maxAgeMs: 0 })
    const waiting = [cache.get('a'), cache.get('a')]
    expect(loads).to.have.length(2)
    loads[1]?.answer(2)
    loads[0]?.answer(1)
    // The one that was answered last began first; what is known since stays known.
    expect(await Promise.all(waiting.map(async (fact) => (await fact).value))).to.deep.equal([2, 2])
    void cache.get('a')
    expect(loads).to.have.length(3)
  })

  it('does not age what can never become untrue', async () => {
    const { get, loads, time } = setUp({ isLasting: ({ value }) => value > 0 })
    await get('lasting', 1)
    await get('passing', 0)
    time.ms += 1_000_000
    expect(await get('lasting', 2)).to.equal(1)
    expect(await get('passing', 2)).to.equal(2)
    expect(loads.map(({ name }) => name)).to.deep.equal(['lasting', 'passing', 'passing'])
  })

  it('keeps so many facts and no more; the least recently used goes first', async () => {
    const { get, loads } = setUp({ maxEntries: 2 })
    await get('a', 1)
    await get('b', 1)
    await get('a')
    await get('c', 1)
    await get('a')
    expect(loads.map(({ name }) => name)).to.deep.equal(['a', 'b', 'c'])
    await get('b', 1)
    expect(loads.map(({ name }) => name)).to.deep.equal(['a', 'b', 'c', 'b'])
  })

  it('keeps so many bytes and no more, and still answers what is too large to keep', async () => {
    const { get, loads } = setUp({ maxBytes: 100, bytesOf: ({ value }) => value })
    expect(await get('large', 1000)).to.equal(1000)
    await get('half', 60)
    await get('other half', 60)
    await get('other half')
    await get('half', 60)
    expect(loads.map(({ name }) => name)).to.deep.equal(['large', 'half', 'other half', 'half'])
  })
})
