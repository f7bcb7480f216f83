import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { endBins } from '../deploy/bins.ts'
import { expectLike } from './examples.ts'
import { type Block, blocksOf, readDocument } from './markdown.ts'
import { beginStage } from './stage.ts'

/** What the document says that Alice has done; prints her address. */
const story = `
HUB=http://localhost:3000
eval "$(node build/client/examples/make-people.js $HUB ALICE BOB)"
GRANT=$(node build/client/examples/sign-ucan.js --key $ALICE_KEY --to $BOB_DID \\
  --with gaia://$ALICE_ADDRESS/photos/ --can gaia/store)
post() {
  curl -sS -w '%{http_code} ' -X POST $HUB/$1 -H "Authorization: bearer $ALICE_TOKEN" --data "$2" >>answers.txt
}
post store/$ALICE_ADDRESS/photos/cat.txt 'a cat'
post grant/$ALICE_ADDRESS "{\\"ucan\\":\\"$GRANT\\"}"
post revoke/$ALICE_ADDRESS "{\\"ucan\\":\\"$GRANT\\"}"
post revoke-all/$ALICE_ADDRESS '{"oldestValidTimestamp":1}'
printf '%s' $ALICE_ADDRESS
`

/** What somebody has who moves: one file, and a grant. */
const beforeMoving = story
  .split('\n')
  .filter((line) => !line.startsWith('post revoke'))
  .join('\n')

describe('docs/storage.md', function () {
  this.timeout(60_000)
  afterEach(endBins)

  it('shows every file that the hub has after what Alice did, and no other', async () => {
    // The stand-in is held to its work here, on machines that have a curl of their own too.
    const stage = await beginStage({ withCurl: 'stand-in' })
    const { status, stdout: address, stderr } = await stage.run(['sh', '-eu'], story)
    expect(status, stderr).to.equal(0)
    const files = (await filesBelow(stage.data)).map((path) => generalize(path, address))
    const [layout] = blocksOf('docs/storage.md').filter(({ language }) => language === 'text')
    const shown = (layout?.text ?? '')
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/)[0] ?? '')
    expect([...new Set(files)]).to.have.members(shown)
  })

  it('shows a move to another storage that says what stands below it', async () => {
    const stage = await beginStage()
    const [block, printed] = blocksAfter('## Moving between stores')
    const prepare = `{\n${beforeMoving}\n} >/dev/null\nln -s '${stage.data}' data`
    const { status, stdout, stderr } = await stage.run(['sh', '-eu'], `${prepare}\n${block?.text}`)
    expect(status, stderr).to.equal(0)
    expectLike(stdout, printed?.text ?? '')
  })
})

function blocksAfter(heading: string): Block[] {
  const before = readDocument('docs/storage.md').split(`\n${heading}\n`)[0] ?? ''
  return blocksOf('docs/storage.md').filter(({ line }) => line > before.split('\n').length)
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `data${join(entry.parentPath, entry.name).slice(folder.length)}`)
}

function generalize(path: string, address: string): string {
  return (
    path
      .replace(address, '<address>')
      // On macOS there are several lock files.
      .replace(/\/locks-\d+$/, '/locks')
      .replace(/bafkrei[a-z2-7]{52}/, '<cid>')
      .replace(/\/[0-9a-f]{64}\./, '/<sha256>.')
      .replace(/\/tmp\/[0-9a-f]{16}\//, '/tmp/<instance>/')
  )
}
