import { expect } from 'chai'
import fc from 'fast-check'
import { parseAddress } from '../../../drivers/key.ts'
import { WireError } from '../../../http/errors.ts'
import type { Authority } from '../../../hub/auth/authority.ts'
import {
  type Action,
  authorize,
  isWholeOwner,
  listableNames,
  narrowReaches,
  type Permit,
} from '../../../hub/auth/authorize.ts'
import {
  type Ability,
  type Capability,
  type Caveats,
  type Reach,
  reaches,
} from '../../../hub/auth/capability.ts'
import { publicKeyFromHex } from '../../../hub/auth/keys.ts'
import { alice, bob } from '../people.ts'

const address = parseAddress(alice.address)

function may(ability: Ability, reach: Reach, caveats: Caveats = {}, owner = alice): Capability {
  return { address: owner.address, ability, reach, caveats }
}
const below = (path: string): Reach => ({ kind: 'below', path })
const file = (path: string): Reach => ({ kind: 'file', path })
const prefix = (path: string): Reach => ({ kind: 'prefix', path })

function authority(capabilities: readonly Capability[], more: Partial<Authority> = {}): Authority {
  const value: Authority = {
    address,
    credential: 'invocation',
    principal: publicKeyFromHex(bob.publicKeyHex),
    isOwner: false,
    isScoped: false,
    capabilities,
    claimed: null,
    revoked: null,
    refusal: (_serves, reason) => new WireError('not_authorized', reason),
    renew: async () => value,
    ...more,
  }
  return value
}

function store(path: string, more: Partial<Action & { kind: 'store' }> = {}): Action {
  return { kind: 'store', path, size: 100, contentType: 'text/plain', ...more }
}

function remove(path: string): Action {
  return { kind: 'delete', path }
}

/** `null` where it is refused. */
function decide(held: readonly Capability[], action: Action, claimed: readonly Capability[] | null = null) {
  try {
    return authorize(authority(held, { claimed }), action)
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

const plain: Permit = { mode: 'plain', maxSize: null, createOnly: false }
const archive: Permit = { ...plain, mode: 'archive' }

describe('authorize', () => {
  describe('decides by ability', () => {
    const abilities: [Ability, Permit | null, Permit | null][] = [
      ['*', plain, plain],
      ['gaia/*', plain, plain],
      ['gaia/store', plain, null],
      ['gaia/archive', archive, archive],
      ['gaia/delete', null, plain],
      ['gaia/list', null, null],
      ['gaia/grant', null, null],
    ]
    for (const [ability, storing, removing] of abilities) {
      it(`${ability}`, () => {
        expect(decide([may(ability, below(''))], store('f'))).to.deep.equal(storing)
        expect(decide([may(ability, below(''))], remove('f'))).to.deep.equal(removing)
      })
    }
  })

  describe('decides by reach', () => {
    for (const [reach, path, isReached] of [
      [below(''), 'any/where', true],
      [below('a/'), 'a/b', true],
      [below('a/'), 'a/b/c', true],
      [below('a/'), 'ab', false],
      [below('a/'), 'a', false],
      [below('a/'), 'b/a/c', false],
      [below('a/'), 'A/b', false],
      [file('a'), 'a', true],
      [file('a'), 'a/b', false],
      [file('a'), 'ab', false],
      [file(''), 'a', false],
      [prefix('a'), 'ab', true],
      [prefix('a'), 'a/b', true],
      [prefix('a'), 'b', false],
      [prefix(''), 'b', true],
      [file('caf\u00e9'), 'cafe\u0301', false],
    ] as const) {
      it(`${reach.kind} ${JSON.stringify(reach.path)} ${isReached ? 'reaches' : 'does not reach'} ${path}`, () => {
        expect(decide([may('*', reach)], store(path))).to.deep.equal(isReached ? plain : null)
        expect(decide([may('*', reach)], remove(path))).to.deep.equal(isReached ? plain : null)
      })
    }

    it('never at another address', () => {
      expect(decide([may('*', below(''), {}, bob)], store('f'))).to.equal(null)
    })
  })

  describe('decides by caveats', () => {
    const rows: [string, Caveats, Action, Permit | null][] = [
      ['a size within', { maxSize: 100 }, store('f', { size: 100 }), { ...plain, maxSize: 100 }],
      ['a size beyond', { maxSize: 99 }, store('f', { size: 100 }), null],
      ['a size that is not told', { maxSize: 99 }, store('f', { size: null }), { ...plain, maxSize: 99 }],
      ['a maxSize of 0, empty', { maxSize: 0 }, store('f', { size: 0 }), { ...plain, maxSize: 0 }],
      ['a maxSize of 0, not empty', { maxSize: 0 }, store('f', { size: 1 }), null],
      ['a maxSize at a delete', { maxSize: 0 }, remove('f'), plain],
      ['a type', { contentType: ['text/plain'] }, store('f'), plain],
      [
        'a type with parameters',
        { contentType: ['text/plain'] },
        store('f', { contentType: 'TEXT/Plain ; charset=x' }),
        plain,
      ],
      ['another type', { contentType: ['text/html'] }, store('f'), null],
      ['one of several types', { contentType: ['text/html', 'text/plain'] }, store('f'), plain],
      ['no types at all', { contentType: [] }, store('f'), null],
      ['a type with a star', { contentType: ['text/*'] }, store('f'), plain],
      ['a star of another type', { contentType: ['image/*'] }, store('f'), null],
      [
        'a star and a type that only begins so',
        { contentType: ['text/*'] },
        store('f', { contentType: 'textual/plain' }),
        null,
      ],
      [
        'a type that hides in a parameter',
        { contentType: ['image/png'] },
        store('f', { contentType: 'text/html;image/png' }),
        null,
      ],
      [
        'two types in one header',
        { contentType: ['image/png'] },
        store('f', { contentType: 'image/png, text/html' }),
        null,
      ],
      ['a type at a delete', { contentType: ['image/png'] }, remove('f'), plain],
      ['createOnly at a store', { createOnly: true }, store('f'), { ...plain, createOnly: true }],
      ['createOnly at a delete', { createOnly: true }, remove('f'), null],
    ]
    for (const [what, caveats, action, permit] of rows) {
      it(what, () => {
        expect(decide([may('*', below(''), caveats)], action)).to.deep.equal(permit)
      })
    }

    it('createOnly is never an archival write', () => {
      expect(decide([may('gaia/archive', below(''), { createOnly: true })], store('f'))).to.equal(null)
      expect(decide([may('gaia/archive', below(''), { createOnly: true })], remove('f'))).to.equal(null)
    })
  })

  describe('takes the capability that asks for least', () => {
    for (const [what, held, permit] of [
      [
        'a plain write before an archival one',
        [may('gaia/archive', below('')), may('gaia/store', file('f'))],
        plain,
      ],
      [
        'an overwrite before a create',
        [may('*', below(''), { createOnly: true }), may('gaia/store', file('f'))],
        plain,
      ],
      [
        'the larger file',
        [may('*', below(''), { maxSize: 200 }), may('*', below(''), { maxSize: 300 })],
        { ...plain, maxSize: 300 },
      ],
      ['no bound before any', [may('*', below(''), { maxSize: 200 }), may('*', below(''))], plain],
    ] as const) {
      it(what, () => {
        expect(decide(held, store('f'))).to.deep.equal(permit)
        expect(decide([...held].reverse(), store('f'))).to.deep.equal(permit)
      })
    }
  })

  describe('keeps archive writers from history', () => {
    for (const path of ['.history.1.abcdefghij.f', 'd/.history.x', '.history.']) {
      it(path, () => {
        expect(decide([may('gaia/archive', below(''))], store(path))).to.equal(null)
        expect(decide([may('gaia/archive', below(''))], remove(path))).to.equal(null)
        expect(decide([may('gaia/store', below(''))], store(path))).to.deep.equal(plain)
      })
    }

    for (const path of ['history.1.f', '.history', 'd.history.x', '.historyx']) {
      it(`but not from ${path}`, () => {
        expect(decide([may('gaia/archive', below(''))], store(path))).to.deep.equal(archive)
      })
    }
  })

  describe('with what the credential claims beside what was granted', () => {
    const rows: [string, Capability[], Capability[], Permit | null][] = [
      ['needs both', [may('*', below('a/'))], [may('*', below('b/'))], null],
      ['needs the claim', [may('*', below(''))], [], null],
      ['needs the grant', [], [may('*', below(''))], null],
      ['archives where the claim does', [may('*', below(''))], [may('gaia/archive', below(''))], archive],
      ['archives where the grant does', [may('gaia/archive', below(''))], [may('*', below(''))], archive],
      [
        'takes the smaller size',
        [may('*', below(''), { maxSize: 300 })],
        [may('*', below(''), { maxSize: 200 })],
        { ...plain, maxSize: 200 },
      ],
      [
        'takes the size of either',
        [may('*', below(''))],
        [may('*', below(''), { maxSize: 200 })],
        { ...plain, maxSize: 200 },
      ],
      [
        'creates only where the grant does',
        [may('*', below(''), { createOnly: true })],
        [may('*', below(''))],
        { ...plain, createOnly: true },
      ],
      [
        'creates only where the claim does',
        [may('*', below(''))],
        [may('*', below(''), { createOnly: true })],
        { ...plain, createOnly: true },
      ],
    ]
    for (const [what, held, claimed, permit] of rows) {
      it(what, () => {
        expect(decide(held, store('a/f'), claimed)).to.deep.equal(permit)
      })
    }
  })

  describe('for any capabilities', () => {
    const pathOf = fc.constantFrom('a', 'ab', 'a/b', 'a/b/c', 'b', '.history.x')
    const reach = fc.oneof(
      pathOf.map(file),
      fc.constantFrom('', 'a', 'a/', 'b').map(prefix),
      fc.constantFrom('', 'a/', 'a/b/').map(below),
    )
    const caveats: fc.Arbitrary<Caveats> = fc.record(
      {
        maxSize: fc.constantFrom(0, 50, 100, 200),
        contentType: fc.constantFrom(['text/plain'], ['text/*'], ['image/png'], []),
        createOnly: fc.constant(true as const),
      },
      { requiredKeys: [] },
    )
    const ability = fc.constantFrom<Ability>(
      '*',
      'gaia/*',
      'gaia/store',
      'gaia/archive',
      'gaia/delete',
      'gaia/list',
      'gaia/grant',
    )
    const owner = fc.constantFrom(alice, alice, alice, bob)
    const capability = fc
      .record({ ability, reach, caveats, owner })
      .map((made) => may(made.ability, made.reach, made.caveats, made.owner))
    const held = fc.array(capability, { maxLength: 5 })
    const action: fc.Arbitrary<Action> = fc.oneof(
      fc
        .record({
          path: pathOf,
          size: fc.constantFrom(null, 0, 50, 100, 1000),
          contentType: fc.constantFrom('text/plain', 'text/html', 'image/png;x=y'),
        })
        .map(({ path, ...more }) => store(path, more)),
      pathOf.map(remove),
    )

    it('a set allows exactly what one of them allows alone', () => {
      fc.assert(
        fc.property(held, action, (all, wanted) => {
          const alone = all.some((one) => decide([one], wanted) !== null)
          expect(decide(all, wanted) !== null).to.equal(alone)
        }),
      )
    })

    it('the permit of a set is that of one of them, whatever their order', () => {
      fc.assert(
        fc.property(held, action, (all, wanted) => {
          const permit = decide(all, wanted)
          expect(decide([...all].reverse(), wanted)).to.deep.equal(permit)
          if (permit !== null) expect(all.map((one) => decide([one], wanted))).to.deep.include(permit)
        }),
      )
    })

    it('a caveat more never allows more', () => {
      fc.assert(
        fc.property(capability, caveats, action, (one, more, wanted) => {
          const { maxSize = Infinity } = one.caveats
          const narrowed: Caveats = {
            ...more,
            ...one.caveats,
            ...(more.maxSize === undefined ? {} : { maxSize: Math.min(maxSize, more.maxSize) }),
          }
          const before = decide([one], wanted)
          const after = decide([{ ...one, caveats: narrowed }], wanted)
          if (after !== null) expect(before).not.to.equal(null)
          if (after !== null && before?.createOnly) expect(after.createOnly).to.equal(true)
        }),
      )
    })

    it('a claim never adds to a grant, nor a grant to a claim', () => {
      fc.assert(
        fc.property(held, held, action, (granted, claimed, wanted) => {
          const both = decide(granted, wanted, claimed)
          if (both === null) return
          for (const layer of [decide(granted, wanted), decide(claimed, wanted)]) {
            expect(layer).not.to.equal(null)
            expect(both.maxSize ?? Infinity).to.be.at.most(layer?.maxSize ?? Infinity)
            expect(both.createOnly || !layer?.createOnly).to.equal(true)
            expect(both.mode === 'archive' || layer?.mode === 'plain').to.equal(true)
          }
        }),
      )
    })
  })
})

describe('listableNames', () => {
  const names = ['a', 'ab', 'a/b', 'b', '.history.x', 'a/.history.y']
  const listed = (held: Capability[], claimed: Capability[] | null = null) => {
    const listable = listableNames(authority(held, { claimed }))
    const isWithin = (name: string) => listable.reaches.some((reach) => reaches(reach, name))
    return names.filter((name) => isWithin(name) && !listable.isHidden(name))
  }

  for (const [what, held, expected] of [
    ['everything for the owner', [may('*', below(''))], names],
    ['what lies below', [may('gaia/list', below('a/'))], ['a/b', 'a/.history.y']],
    [
      'what several reach',
      [may('gaia/list', below('a/')), may('gaia/*', file('b'))],
      ['a/b', 'b', 'a/.history.y'],
    ],
    [
      'no history for an archive writer',
      [may('gaia/list', below('')), may('gaia/archive', file('a'))],
      ['a', 'ab', 'a/b', 'b'],
    ],
  ] as const) {
    it(`takes ${what}`, () => {
      expect(listed([...held])).to.deep.equal(expected)
    })
  }

  for (const ability of ['gaia/store', 'gaia/archive', 'gaia/delete', 'gaia/grant'] as const) {
    it(`refuses where there is only ${ability}`, () => {
      expect(() => listed([may(ability, below(''))])).to.throw(WireError)
    })
  }

  it('refuses what is about another address', () => {
    expect(() => listed([may('*', below(''), {}, bob)])).to.throw(WireError)
  })

  it('takes what claim and grant have in common', () => {
    expect(listed([may('*', below('a/'))], [may('gaia/list', prefix('a/b'))])).to.deep.equal(['a/b'])
    expect(() => listed([may('*', below(''))], [may('gaia/store', below(''))])).to.throw(WireError)
  })

  it('are told by the fewest reaches, in key order', () => {
    const held = [below('b/c/'), file('b'), below('b/'), file('a/x'), below('b/'), file('b/y'), below('a/y/')]
    const { reaches: within } = listableNames(authority(held.map((reach) => may('gaia/list', reach))))
    expect(within).to.deep.equal([file('a/x'), below('a/y/'), file('b'), below('b/')])
    expect(narrowReaches(within, 'b')).to.deep.equal([file('b'), below('b/')])
    expect(narrowReaches(within, 'b/q')).to.deep.equal([prefix('b/q')])
    expect(narrowReaches(within, 'c')).to.deep.equal([])
  })

  it('hides history from a claim that archives', () => {
    const claimed = [may('gaia/archive', below('')), may('gaia/list', below(''))]
    expect(listed([may('*', below(''))], claimed)).to.deep.equal(['a', 'ab', 'a/b', 'b'])
  })
})

describe('isWholeOwner', () => {
  const whole = may('*', below(''))
  for (const [what, held, isOwner, expected] of [
    ['an owner with everything', [whole], true, true],
    ['an owner with everything among others', [may('gaia/list', below('')), whole], true, true],
    ['another key with everything', [whole], false, false],
    ['an owner with a folder', [may('*', below('a/'))], true, false],
    ['an owner with every file by prefix', [may('*', prefix(''))], true, false],
    ['an owner with gaia/*', [may('gaia/*', below(''))], true, false],
    ['an owner with a caveat', [may('*', below(''), { createOnly: true })], true, false],
    ['an owner with nothing', [], true, false],
    ['an owner with another address', [may('*', below(''), {}, bob)], true, false],
  ] as const) {
    it(`is ${expected} for ${what}`, () => {
      expect(isWholeOwner(authority(held, { isOwner }))).to.equal(expected)
    })
  }
})
