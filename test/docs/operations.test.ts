import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { connect, generateStacksSigner } from '../../client/index.ts'
import { addressIn, endBins, startBin, tempFolder } from '../deploy/bins.ts'
import { configure } from '../deploy/configure.ts'
import { metricsOf } from '../deploy/metrics.ts'
import { debianProgram, suiteNeedsProgram } from '../servers/debian-program.ts'
import { documentedProgram } from './cli-reference.ts'
import { expectLike } from './examples.ts'
import { blocksOf, readDocument } from './markdown.ts'
import { beginStage, type Stage } from './stage.ts'

const blocks = blocksOf('docs/operations.md')

/** The commands of the runbook that are called so, with what the reader has to fill in. */
function runbook(name: string, filledIn: Record<string, string> = {}): string {
  const block = blocks.find(({ language, info }) => language === 'sh' && info === name)
  if (block === undefined) throw new Error(`the runbook has no commands called ${name}`)
  return Object.entries(filledIn).reduce((text, [variable, value]) => {
    const line = new RegExp(`^${variable}=.*…$`, 'm')
    if (!line.test(text)) throw new Error(`nothing is to be filled in for ${variable}`)
    return text.replace(line, () => `${variable}=${value}`)
  }, block.text)
}

describe('docs/operations.md', function () {
  // Several dozen programs, one after the other.
  this.timeout(90_000)
  describe('the commands', () => {
    let stage: Stage
    before(async () => {
      stage = await beginStage()
      // Alice has files, and Bob may write to some of them.
      await play(`ln -s '${stage.data}' data
        npx mandate key new alice >/dev/null
        npx mandate key new bob >/dev/null
        npx mandate key new carol >/dev/null
        echo milk | npx mandate put - notes/list.txt >/dev/null
        npx mandate delegate photos/ --to bob --deposit >photos.delegation
        echo 'a cat' | npx mandate put - alice:photos/cat.txt --as bob >/dev/null`)
    })
    after(endBins)

    async function play(script: string): Promise<string> {
      const { status, stdout, stderr } = await stage.run(['sh', '-eu'], `${tried}\n${script}`)
      expect(status, `${stdout}\n${stderr}`).to.equal(0)
      return stdout
    }

    it('of an upgrade show that hub and reader serve', async () => {
      const [hub, ...rest] = (await play(runbook('smoke'))).trim().split('\n')
      expect(hub).to.match(/^hub +http:\/\/localhost:3000/)
      expectLike(
        rest.slice(-3).join('\n'),
        'http://localhost:3001/1…/smoke-test.txt (11 B)\nstill here\n…smoke-test.txt',
      )
    })

    it('of a backup and its restoring bring back a file, and no right that was revoked since', async () => {
      const story = `
        ${runbook('backup')}
        npx mandate revoke photos.delegation >/dev/null
        npx mandate rm notes/list.txt >/dev/null
        # A hub that has lost its grants, and would take any.
        rm -r data/*-auth/grants data/.gaia-metadata/*-auth/grants
        ${runbook('restore-live')}
        npx mandate cat notes/list.txt
        tried 'echo dog | npx mandate put - alice:photos/dog.txt --as bob'`
      const printed = await play(story)
      expect(printed).to.match(/^would copy \S+-auth\/grants\/bafkrei/m)
      expect(printed).to.match(/^records: 1 copied$/m)
      expect(printed.trim().split('\n').slice(-2)).to.deep.equal(['milk', 'status 5'])
    })

    it('of a restoring to an empty disk bring the youngest records over the older files', async () => {
      const records = runbook('backup').trim().split('\n').at(-1) ?? ''
      const listed = await play(`${records}\n${runbook('restore-disk')}\nfind restored -type f | sort`)
      expect(listed).to.match(/^restored\/1\w+\/photos\/cat\.txt$/m)
      expect(listed, 'revoked after the backup').to.match(
        /^restored\/1\w+-auth\/revocations\/[0-9a-f]{64}\.json$/m,
      )
      expect(listed).not.to.include('restored/.mandate')
    })

    it("for a writer's stolen key end what was deposited and what was given by hand, to the key or its address", async () => {
      const shown = await play('npx mandate key show carol --json')
      const { did, address } = JSON.parse(shown) as { did: string; address: string }
      const printed = await play(`
        npx mandate delegate photos/ --to carol --deposit >/dev/null
        npx mandate delegate drafts/ --to ${address} --deposit >/dev/null
        # As if they had been signed on another machine: only the hub knows of them here.
        rm -r .config/mandate/issued
        npx mandate delegate lists/ --to ${address} >lists.delegation
        npx mandate delegate notes/ --to carol >notes.delegation
        npx mandate receive lists.delegation >/dev/null
        npx mandate receive notes.delegation >/dev/null
        npx mandate delegate others/ --to bob >/dev/null
        for FOLDER in photos drafts lists notes; do
          echo 1 | npx mandate put - alice:$FOLDER/1.txt --as carol
        done
        ${runbook('writer-key', { WRITER: did, ADDRESS: address })}
        for FOLDER in photos drafts lists notes; do
          tried "echo 2 | npx mandate put - alice:$FOLDER/2.txt --as carol"
        done`)
      const folders = ['photos', 'drafts', 'lists', 'notes']
      expectLike(
        printed,
        [
          ...folders.map((folder) => `http://localhost:3001/1…/${folder}/1.txt (2 B)`),
          ...folders.map(() => 'revoked bafkrei…'),
          ...folders.map(() => 'status 5'),
        ].join('\n'),
      )
    })

    it('for a leaked token end all that was signed before', async () => {
      const printed = await play(`
        npx mandate delegate photos/ --to bob >photos.delegation
        npx mandate receive photos.delegation >/dev/null
        echo 5 | npx mandate put - alice:photos/5.txt --as bob
        sleep 1
        ${runbook('token-leaked')}
        # What is signed within the second of the revocation is void too.
        sleep 1
        tried 'echo 6 | npx mandate put - alice:photos/6.txt --as bob'
        echo 7 | npx mandate put - photos/7.txt`)
      expectLike(
        printed,
        'http://localhost:3001/1…/photos/5.txt (2 B)\neverything that 1… signed before … is void\nstatus 5\nhttp://localhost:3001/1…/photos/7.txt (2 B)',
      )
    })

    it("for an owner's stolen key bring the files to a new address", async () => {
      const printed = await play(`${runbook('key-stolen')}\nnpx mandate ls --as alice-2027`)
      expect(printed).to.match(/\nnotes\/1\.txt\nnotes\/list\.txt\nphotos\/1\.txt\n/)
    })

    it('for an address whose key was stolen end its writing, and a number lets it go on', async () => {
      const printed = await play(`
        HUB=http://localhost:3000
        eval "$(node build/client/examples/make-people.js $HUB DORA EVE)"
        ${runbook('freeze', { ADDRESS: '$DORA_ADDRESS' })}
        ${runbook('freeze', { ADDRESS: '$EVE_ADDRESS' })}
        expr $(date +%s) - 60 >data/$EVE_ADDRESS-auth/authTimestamp
        for WHO in "$DORA_ADDRESS $DORA_TOKEN" "$EVE_ADDRESS $EVE_TOKEN"; do
          curl -sS -w '\\n%{http_code}\\n' -X POST $HUB/store/\${WHO% *}/x -H "Authorization: bearer \${WHO#* }" --data x
        done`)
      expectLike(printed, '{…"error":"StorageError"}\n502\n{"publicURL"…}\n202')
    })
  })

  describe('the move to another machine', () => {
    suiteNeedsProgram('rsync')
    after(endBins)

    it('brings what was replaced between the two copies, by as many bytes within the same second too', async () => {
      const commands = [...readDocument('docs/operations.md').matchAll(/`rsync (-[^`]+)`/g)]
      expect(commands).to.have.lengthOf(2)
      const folder = await tempFolder()
      const rsync = await debianProgram('rsync')
      const copy = async (n: number) => {
        const told = commands[n]?.[1]?.replaceAll(/(old:)?\/var\/lib\/mandate/g, (_path, from) =>
          join(folder, from === undefined ? 'new' : 'old'),
        )
        await promisify(execFile)(rsync, told?.split(' ') ?? [])
      }
      const file = (machine: string, name: string) => join(folder, machine, 'files', name)
      const store = async (name: string, content: string, seconds: number) => {
        await writeFile(file('old', name), content)
        await utimes(file('old', name), seconds, seconds)
      }
      await mkdir(join(folder, 'old/files'), { recursive: true })
      await mkdir(join(folder, 'new'))
      await store('list.txt', 'milk', 1_700_000_000.1)
      await store('gone.txt', 'gone', 1_700_000_000.1)
      await copy(0)
      await store('list.txt', 'eggs', 1_700_000_000.9)
      await rm(file('old', 'gone.txt'))
      await copy(1)
      expect(await readFile(file('new', 'list.txt'), 'utf8')).to.equal('eggs')
      expect(await readdir(join(folder, 'new/files'))).to.deep.equal(['list.txt'])
    })
  })

  describe('the table of calls to the storage', () => {
    after(endBins)

    it('is what is counted', async () => {
      const count = await countCalls()
      const [alice, bob] = [generateStacksSigner(), generateStacksSigner()]
      const owner = await connect({ hub: count.hub, signer: alice })
      expect(await count.of(() => owner.put('a', 'x')), 'store').to.deep.equal({ write: 1, read: 1 })
      expect(await count.of(() => owner.put('b', 'x')), 'at once after it').to.deep.equal({ write: 1 })
      const given = await owner.delegate({ to: bob.did(), path: 'p/', can: 'store', expires: '1d' })
      const deposit = await count.of(() => owner.grant(given))
      expect(deposit, 'deposit').to.deep.equal({ write: 1, read: 1, list: 2 })
      const writer = await connect({ hub: count.hub, signer: bob, address: alice.address })
      expect(await count.of(() => writer.put('p/a', 'x')), 'by the grant').to.deep.equal({ write: 1 })
      const read = (options: RequestInit) => fetch(`${count.reader}${alice.address}/a`, options)
      expect(await count.of(async () => (await read({})).text()), 'read').to.deep.equal({ read: 1 })
      expect(await count.of(() => read({ method: 'HEAD' })), 'head').to.deep.equal({ stat: 1 })
      const etag = (await read({ method: 'HEAD' })).headers.get('etag') ?? ''
      const again = await count.of(() => read({ headers: { 'if-none-match': etag } }))
      expect(again, 'a version that the client has').to.deep.equal({ stat: 1 })
    })
  })

  it('names commands and options of the command line that are there', () => {
    const program = documentedProgram()
    const shell = blocks.filter(({ language }) => language === 'sh' || language === 'bash')
    const inline = [...readDocument('docs/operations.md').matchAll(/`(npx mandate [^`\n]+)`/g)]
    const text = [...shell.map((block) => block.text), ...inline.map(([, code]) => code)].join('\n')
    const calls = [...text.matchAll(/\bnpx mandate ([a-z-]+)([^|;<>\n]*)/g)]
    expect(calls).to.have.lengthOf.at.least(15)
    for (const [call, name = '', rest = ''] of calls) {
      const command = program.commands.find((one) => one.name() === name)
      if (command === undefined) throw new Error(`there is no command for ${call}`)
      const all = [program, command, ...command.commands].flatMap(({ options }) =>
        options.map(({ long }) => long),
      )
      for (const [option] of rest.matchAll(/(?<= )--[a-z][a-z-]+/g)) expect(all, call).to.include(option)
    }
  })

  for (const { info, text, line } of blocks.filter(({ language }) => language === 'json')) {
    it(`shows a configuration that is taken as it stands: line ${line}`, () => {
      expect(info).to.equal('hub')
      expect(configure({ file: text, format: 'json', kind: 'hub' }).warnings).to.deep.equal([])
    })
  }
})

/** Hub and reader, and how many calls to the storage something takes there. */
async function countCalls() {
  const args = ['--driver', 'memory', '--host', '127.0.0.1', '--port', '0', '--reader-port', '0']
  // Longer than the test, on a machine that is busy too.
  const hub = { revocationMaxAge: 60 }
  const running = await startBin('mandate-serve', { args, file: { metrics: { port: 0 }, hub } })
  await running.until(/ stop +Ctrl-C/)
  const calls = async () => {
    const samples = await metricsOf(running)
    const ofDriver = samples.filter(({ name }) => name === 'mandate_driver_calls_total')
    return new Map(ofDriver.map(({ labels, value }) => [labels.call ?? '', value]))
  }
  return {
    hub: addressIn(running, 'write at'),
    reader: addressIn(running, 'read at'),
    async of(action: () => Promise<unknown>): Promise<Record<string, number>> {
      const before = await calls()
      await action()
      const counted = [...(await calls())].map(([call, n]) => [call, n - (before.get(call) ?? 0)] as const)
      return Object.fromEntries(counted.filter(([, n]) => n > 0))
    },
  }
}

/** Tells the status of a command that is to fail. */
const tried = 'tried() { sh -c "$1" >/dev/null 2>&1 && echo "it did not fail" || echo "status $?"; }'
