import { expect } from 'chai'
import { encode } from 'uqr'
import { qrSvg, qrTerminal } from '../../../client/delegation/qr.ts'
import { type Delegation, delegate } from '../../../client/index.ts'
import { type Somebody, somebody } from './people.ts'
import { thrown } from './refusal.ts'

describe('a QR code of a delegation', () => {
  let alice: Somebody
  let bob: Somebody
  let given: Delegation

  before(async () => {
    alice = await somebody()
    bob = await somebody('P-256')
    given = await delegate(alice.signer, { to: bob.did, path: 'photos/', can: 'store', expires: '30d' })
  })

  it('as SVG draws the code of its URL, with the quiet zone that readers need', () => {
    const page = 'https://notes.example/inbox'
    const drawn = modulesOfSvg(qrSvg(given, { page }))
    expect(drawn).to.deep.equal(codeOf(given.toUrl(page), 4))
    expect(modulesOfSvg(qrSvg(given))).to.deep.equal(codeOf(given.toUrl(), 4))
  })

  it('for a terminal draws the same, in colors that do not depend on the theme', () => {
    const lines = qrTerminal(given).split('\n')
    expect(lines.every((line) => line.startsWith('\u001b[97;40m') && line.endsWith('\u001b[0m'))).to.equal(
      true,
    )
    const plain = qrTerminal(given, { color: false })
    expect(modulesOfBlocks(plain)).to.deep.equal(codeOf(given.toUrl(), 2))
    expect(lines.map((line) => line.slice(8, -4)).join('\n')).to.equal(plain)
    expect(Math.max(...plain.split('\n').map((line) => line.length))).to.be.lessThan(100)
  })

  it('is refused for a chain that no code can hold, and says how long it is', async () => {
    let longest = given
    let signer = bob.signer
    while (longest.toString().length < 3_000) {
      const next = await somebody()
      longest = await longest.attenuate({ signer, to: next.did })
      signer = next.signer
    }
    const error = thrown(() => qrSvg(longest))
    expect(error.code).to.equal('too-large')
    expect(error.message).to.include(String(longest.toUrl().length))
  })
})

/** The dark modules of the code of a text, as `row column`. */
function codeOf(text: string, border: number): string[] {
  const { data } = encode(text, { ecc: 'L', boostEcc: true, border })
  return data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`${y} ${x}`] : [])))
}

function modulesOfSvg(svg: string): string[] {
  return [...svg.matchAll(/M(\d+),(\d+)h10v10h-10z/g)].map(
    ([, x, y]) => `${Number(y) / 10} ${Number(x) / 10}`,
  )
}

/** Each character is two modules, one above the other; what is drawn is light. */
function modulesOfBlocks(text: string): string[] {
  const lines = text.split('\n')
  const dark = lines.flatMap((line, row) =>
    line
      .split('')
      .flatMap((character, x) => [
        ...('█▀'.includes(character) ? [] : [[2 * row, x] as const]),
        ...('█▄'.includes(character) ? [] : [[2 * row + 1, x] as const]),
      ]),
  )
  const height = lines[0]?.length ?? 0
  return dark
    .filter(([y]) => y < height)
    .sort(([ay, ax], [by, bx]) => ay - by || ax - bx)
    .map(([y, x]) => `${y} ${x}`)
}
