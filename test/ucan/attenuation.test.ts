import { expect } from 'chai'
import type { Ability, Capability, Caveats, Reach } from '../../hub/auth/capability.ts'
import { checkAttenuation } from '../../hub/auth/ucan/index.ts'

const whole: Reach = { kind: 'below', path: '' }

function below(path: string): Reach {
  return { kind: 'below', path }
}

function file(path: string): Reach {
  return { kind: 'file', path }
}

function capability(
  ability: Ability,
  reach: Reach = whole,
  caveats: Caveats = {},
  address = 'A',
): Capability {
  return { address, ability, reach, caveats }
}

type Verdict = 'all' | 'store-only' | 'with' | 'can' | 'nb'

function verdict(child: Capability, parent: Capability): Verdict {
  const result = checkAttenuation(child, parent)
  return result.extent ?? result.claim
}

describe('a child capability lies within its parent', () => {
  const reaches: Array<[Reach, Reach, Verdict]> = [
    [whole, whole, 'all'],
    [below('a/'), whole, 'all'],
    [file('a'), whole, 'all'],
    [below('a/'), below('a/'), 'all'],
    [below('a/b/'), below('a/'), 'all'],
    [file('a/b'), below('a/'), 'all'],
    [file('a/b'), file('a/b'), 'all'],
    [whole, below('a/'), 'with'],
    [below('ab/'), below('a/'), 'with'],
    [file('ab'), below('a/'), 'with'],
    [file('a'), below('a/'), 'with'],
    [below('a/'), file('a'), 'with'],
    [file('a/b'), file('a'), 'with'],
    [below('A/'), below('a/'), 'with'],
    [file('a/\u00e9'), file('a/e\u0301'), 'with'],
  ]
  for (const [child, parent, expected] of reaches) {
    it(`by path: ${child.kind} "${child.path}" in ${parent.kind} "${parent.path}" is ${expected}`, () => {
      expect(verdict(capability('gaia/store', child), capability('gaia/store', parent))).to.equal(expected)
    })
  }

  it('by address, byte for byte', () => {
    expect(verdict(capability('*', whole, {}, 'A'), capability('*', whole, {}, 'a'))).to.equal('with')
  })

  const abilities: Ability[] = [
    'gaia/store',
    'gaia/archive',
    'gaia/delete',
    'gaia/list',
    'gaia/grant',
    'gaia/*',
    '*',
  ]
  const covered: Record<string, readonly string[]> = {
    '*': abilities,
    'gaia/*': ['gaia/store', 'gaia/archive', 'gaia/delete', 'gaia/list', 'gaia/*'],
  }
  for (const parent of abilities) {
    for (const child of abilities) {
      const isCovered = (covered[parent] ?? [parent]).includes(child)
      const isHalf = parent === 'gaia/store' && child === 'gaia/archive'
      const expected = isCovered ? 'all' : isHalf ? 'store-only' : 'can'
      it(`by ability: ${child} of ${parent} is ${expected}`, () => {
        expect(verdict(capability(child), capability(parent))).to.equal(expected)
      })
    }
  }

  it('by what its parent has of gaia/archive: the store of a store', () => {
    const parent: Capability = { ...capability('gaia/archive'), storeOnly: true }
    expect(verdict(capability('gaia/archive'), parent)).to.equal('store-only')
  })

  const caveats: Array<[Caveats, Caveats, Verdict]> = [
    [{ maxSize: 1 }, {}, 'all'],
    [{ maxSize: 1 }, { maxSize: 1 }, 'all'],
    [{ maxSize: 0 }, { maxSize: 1 }, 'all'],
    [{ maxSize: 2 }, { maxSize: 1 }, 'nb'],
    [{}, { maxSize: 1 }, 'nb'],
    [{ contentType: ['image/png'] }, {}, 'all'],
    [{ contentType: ['image/png'] }, { contentType: ['image/*'] }, 'all'],
    [{ contentType: ['image/*'] }, { contentType: ['image/*'] }, 'all'],
    [{ contentType: ['a/b'] }, { contentType: ['c/d', 'a/b'] }, 'all'],
    [{ contentType: ['image/*'] }, { contentType: ['image/png'] }, 'nb'],
    [{ contentType: ['image/png', 'a/b'] }, { contentType: ['image/*'] }, 'nb'],
    [{ contentType: ['imagex/png'] }, { contentType: ['image/*'] }, 'nb'],
    [{}, { contentType: ['image/*'] }, 'nb'],
    [{ createOnly: true }, {}, 'all'],
    [{ createOnly: true }, { createOnly: true }, 'all'],
    [{}, { createOnly: true }, 'nb'],
    [{ maxSize: 1, createOnly: true }, { maxSize: 1, contentType: ['a/b'] }, 'nb'],
  ]
  for (const [child, parent, expected] of caveats) {
    it(`by caveats: ${JSON.stringify(child)} of ${JSON.stringify(parent)} is ${expected}`, () => {
      const result = verdict(capability('gaia/store', whole, child), capability('gaia/store', whole, parent))
      expect(result).to.equal(expected)
    })
  }
})
