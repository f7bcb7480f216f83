import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { keyOf, suiteMachines } from './cli-stage.ts'
import { errorOf, sealedPeople } from './sealed-people.ts'

const long = 'a long text, '.repeat(21_000)

const frameBytes = 262_144

describe('sealed files by the command line', () => {
  const suite = suiteMachines(() => ({ maxFileUploadSizeMegabytes: 8 }))
  const people = (...names: string[]) => sealedPeople(suite, names)

  it('open for those whom they are sealed for, and for nobody else', async () => {
    const { alice, bob, mallory } = await people('alice', 'bob', 'mallory')
    for (const text of ['short', long]) {
      await alice.machine.write('plan.txt', text)
      const [put] = (
        await alice.machine.ok(['put', 'plan.txt', 'plans/', '--seal-for', bob.did, '--force', '--json'])
      ).json()
      expect(put?.recipients).to.have.lengthOf(2)
      expect(await (await fetch(String(put?.url))).text()).not.to.include(text.slice(0, 5))
      const place = `${alice.address}:plans/plan.txt`
      const read = await bob.machine.ok(['cat', place])
      expect(read.stdout).to.equal(text)
      expect(read.stderr).to.include('opened by the key of bob').and.include(`sealed by ${alice.did}`)
      await bob.machine.ok(['get', place, '--force'])
      expect(await bob.machine.read('plan.txt')).to.equal(text)
      for (const command of text === long ? [['cat'], ['get', '--force'], ['recipients']] : [['cat']]) {
        const refused = await mallory.machine.run([...command, place, '--json'])
        expect([refused.status, errorOf(refused).code, refused.stdout]).to.deep.equal([
          9,
          'not-a-recipient',
          '',
        ])
      }
    }
    const stranger = await suite.machine()
    const refused = await stranger.run(['cat', `${alice.address}:plans/plan.txt`])
    expect([refused.status, refused.stdout]).to.deep.equal([9, ''])
  })

  it('tell scripts whose key opened them and who sealed them', async () => {
    const { alice, bob } = await people('alice', 'bob')
    await alice.machine.ok(['put', '-', 'a', '--seal-for', bob.did], { stdin: 'x' })
    const [got] = (await bob.machine.ok(['get', `${alice.address}:a`, '--json'])).json()
    expect(got).to.deep.include({ sealedBy: alice.did, openedBy: { key: bob.did, did: bob.did }, size: 1 })
    const recipients = (await bob.machine.ok(['recipients', `${alice.address}:a`, '--json'])).json()
    expect(recipients.map(({ did }) => did)).to.deep.equal([bob.did, alice.did])
  })

  it('of a sealer who is not expected are refused, unless that one is allowed', async () => {
    const { alice, bob, mallory } = await people('alice', 'bob', 'mallory')
    for (const writer of [bob, mallory]) {
      const { stdout } = await alice.machine.ok(['delegate', `inbox/${writer.name}/`, '--to', writer.did])
      await writer.machine.ok(['receive', '-'], { stdin: stdout })
      const place = `${alice.address}:inbox/${writer.name}/note`
      await writer.machine.ok(['put', '-', place, '--seal-for', alice.did], { stdin: `by ${writer.name}` })
      expect((await writer.machine.run(['cat', place])).status).to.equal(9)
    }
    const unknown = await alice.machine.run(['cat', 'inbox/bob/note'])
    expect([unknown.status, unknown.stdout]).to.deep.equal([9, ''])
    expect(unknown.stderr).to.include(bob.did).and.include('--allow-sealer')
    const allowed = ['--allow-sealer', bob.did]
    expect((await alice.machine.ok(['cat', 'inbox/bob/note', ...allowed])).stdout).to.equal('by bob')
    expect((await alice.machine.run(['cat', 'inbox/mallory/note', ...allowed])).status).to.equal(9)
    const any = await alice.machine.ok(['cat', 'inbox/mallory/note', '--allow-sealer', 'anybody'])
    expect(any.stdout).to.equal('by mallory')
  })

  it('are shared and taken away, and say that what was read cannot be unread', async () => {
    const { alice, bob, carol } = await people('alice', 'bob', 'carol')
    await alice.machine.ok(['put', '-', 'a', '--seal-for', bob.did], { stdin: long })
    const place = `${alice.address}:a`
    const shared = await alice.machine.ok(['share', 'a', carol.did])
    expect(shared.stderr).to.include(`Who can open it now: ${bob.did}, alice, ${carol.did}`)
    expect((await carol.machine.ok(['cat', place])).stdout).to.equal(long)
    const again = (await alice.machine.ok(['share', 'a', carol.did, '--json'])).json()
    expect(again[0]).to.include({ outcome: 'unchanged' })
    const unshared = await alice.machine.ok(['unshare', 'a', bob.did])
    expect(unshared.stderr).to.include('cannot be unread')
    expect((await bob.machine.run(['cat', place])).status).to.equal(9)
    expect((await carol.machine.ok(['cat', place])).stdout).to.equal(long)
    await alice.machine.ok(['put', '-', 'a', '--seal-for', 'same', '--force'], { stdin: 'later' })
    expect((await bob.machine.run(['cat', place])).status).to.equal(9)
    expect((await carol.machine.ok(['cat', place])).stdout).to.equal('later')
  })

  it('say of nobody that it opens nothing who may be a member of a group', async () => {
    const { alice, bob } = await people('alice', 'bob')
    await alice.machine.ok(['group', 'create', 'teams/a', bob.did])
    await alice.machine.ok(['put', '-', 'up/a', '--seal-for', `teams/a,${bob.did}`], { stdin: 'x' })
    for (const isDone of [true, false]) {
      const { stderr } = await alice.machine.ok(['unshare', 'up/a', bob.did])
      expect(stderr).to.include(`Whoever is a member of gaia://${alice.address}/teams/a opens it still`)
      expect(stderr.includes('cannot be unread')).to.equal(isDone)
      expect(stderr).not.to.include('they open nothing')
    }
    const folder = await alice.machine.ok(['unshare', '-r', 'up/', bob.did])
    expect(folder.stderr).to.include('0 changed, 1 needed no change').and.include('but by a group')
    const group = await alice.machine.ok(['unshare', 'teams/a', bob.did])
    expect(group.stderr).to.include('mandate group refresh').and.not.include('they open nothing')
  })

  it('that were not changed below a folder are told', async () => {
    const { alice, bob, carol } = await people('alice', 'bob', 'carol')
    const delegation = (await alice.machine.ok(['delegate', 'in/', '--to', carol.did])).stdout
    await carol.machine.ok(['receive', '-'], { stdin: delegation })
    const place = `${alice.address}:in/a`
    await carol.machine.ok(['put', '-', place, '--seal-for', bob.did], { stdin: 'x' })
    const unshare = ['unshare', '-r', 'in/', bob.did, '--allow-sealer', carol.did]
    expect((await alice.machine.ok(unshare)).stderr).to.include('one file is sealed for others')
    const nothing = await alice.machine.ok(['unshare', '-r', 'inn/', bob.did])
    expect(nothing.stderr).to.include('there is no sealed file below inn/')
  })

  it('are still sealed where a folder that was synced is brought back', async () => {
    const { alice, bob } = await people('alice', 'bob')
    const whom = ['--seal-for', bob.did]
    await alice.machine.ok(['put', '-', 's/long.txt', ...whom], { stdin: long })
    await alice.machine.ok(['put', '-', 's/short.txt', ...whom], { stdin: 'short' })
    await mkdir(join(alice.machine.folder, 'copy'))
    await alice.machine.ok(['sync', 'copy', 's/'])
    await alice.machine.ok(['rm', '-r', 's/', '--yes'])
    await rm(join(alice.machine.folder, 'copy/.mandate-sync.json'))
    await alice.machine.ok(['sync', 'copy', 's/'])
    await alice.machine.ok(['sweep', 's/', '--older-than', '0s'])
    expect((await alice.machine.ok(['cat', 's/long.txt'])).stdout).to.equal(long)
    const unshared = await alice.machine.ok(['unshare', '-r', 's/', bob.did])
    expect(unshared.stdout).to.equal('unshared s/long.txt\nunshared s/short.txt\n')
  })

  it('are told from those that all can read, by name', async () => {
    const { alice, bob } = await people('alice', 'bob')
    await alice.machine.ok(['put', '-', 'open.txt'], { stdin: 'for all\n' })
    for (const command of [
      ['recipients', 'open.txt'],
      ['share', 'open.txt', bob.did],
      ['unshare', 'open.txt', bob.did],
      ['put', '-', 'open.txt', '--force', '--seal-for', 'same'],
    ]) {
      const { status, stderr } = await alice.machine.run(command, { stdin: 'new' })
      expect(status, stderr).to.equal(9)
      expect(stderr).to.include('"open.txt" is no sealed file')
    }
  })

  it('that are damaged are deleted like any other file', async () => {
    const { alice } = await people('alice')
    const sealedType = 'application/vnd.mandate.sealed'
    await alice.machine.ok(['put', '-', 'a', '--content-type', sealedType], { stdin: '{"sealed":' })
    expect((await alice.machine.run(['cat', 'a'])).status).to.equal(9)
    await alice.machine.ok(['rm', 'a'])
    expect((await alice.machine.run(['cat', 'a'])).status).to.equal(3)
  })

  it('are not replaced by what all can read, or by accident', async () => {
    const { alice } = await people('alice')
    await alice.machine.ok(['put', '-', 'a', '--seal-for', 'alice'], { stdin: 'secret' })
    const stored: string[] = []
    const watching: typeof fetch = (input, init) => {
      if (init?.method === 'POST') stored.push('sent')
      return fetch(input, init)
    }
    const taken = ['put', '-', 'a', '--seal-for', 'alice']
    expect((await alice.machine.run(taken, { stdin: long, fetch: watching })).status).to.equal(4)
    expect(stored).to.deep.equal([])
    const open = await alice.machine.run(['put', '-', 'a', '--force'], { stdin: 'x' })
    expect([open.status, open.stderr.includes('--seal-for same')]).to.deep.equal([4, true])
    expect((await alice.machine.ok(['cat', 'a'])).stdout).to.equal('secret')
    await alice.machine.ok(['put', '-', 'a', '--force', '--plain'], { stdin: 'for all' })
    expect(await (await fetch(`${suite.stage().reader.url}/${alice.address}/a`)).text()).to.equal('for all')
    expect((await alice.machine.ok(['cat', 'a'])).stdout).to.equal('for all')
  })

  it('are not what somebody has put in their place for all to read', async () => {
    const { alice, bob } = await people('alice', 'bob')
    await alice.machine.ok(['put', '-', 'a', '--seal-for', bob.did], { stdin: 'sealed' })
    const place = `${alice.address}:a`
    await bob.machine.ok(['cat', place])
    await alice.machine.ok(['put', '-', 'a', '--force', '--plain'], { stdin: 'for all' })
    for (const read of [
      ['cat', place],
      ['get', place, 'fetched'],
    ]) {
      const refused = await bob.machine.run([...read, '--json'])
      expect(refused.status).to.equal(9)
      expect(errorOf(refused)).to.include({ code: 'unsealed' })
      await bob.machine.ok([...read, '--allow-sealer', 'anybody'])
    }
    await alice.machine.ok(['put', '-', 'a', '--force', '--seal-for', bob.did], { stdin: 'again' })
    expect((await bob.machine.ok(['cat', place])).stdout).to.equal('again')
  })

  it('below a folder go up and come down, are taken away with progress, and go on after an interruption', async () => {
    const { alice, bob, carol } = await people('alice', 'bob', 'carol')
    const names = ['a', 'sub/b']
    for (const name of names) await alice.machine.write(`tree/${name}`, `${name} ${long}`)
    const whom = ['--seal-for', `${bob.did},${carol.did}`]
    await alice.machine.ok(['put', '-r', 'tree', 'up/', ...whom])
    expect((await alice.machine.ok(['ls'])).stdout.trim().split('\n')).to.deep.equal(
      names.map((name) => `up/tree/${name}`),
    )
    await alice.machine.ok(['get', '-r', 'up/tree/', 'down'])
    expect(await alice.machine.read('down/sub/b')).to.equal(`sub/b ${long}`)
    expect((await alice.machine.run(['unshare', 'up/', bob.did])).status).to.equal(2)

    const controller = new AbortController()
    const stopping: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init)
      const url = input instanceof Request ? input.url : input.toString()
      if (init?.method === 'POST' && /\/store\/.*\/a$/.test(url)) controller.abort()
      return answer
    }
    const interrupted = await alice.machine.run(['unshare', '-r', 'up/', bob.did], {
      fetch: stopping,
      signal: controller.signal,
    })
    expect(interrupted.status).to.equal(130)
    for (const name of names) {
      const read = await carol.machine.ok(['cat', `${alice.address}:up/tree/${name}`])
      expect(read.stdout, name).to.equal(`${name} ${long}`)
    }
    const resumed = await alice.machine.ok(['unshare', '-r', 'up/', bob.did], { isTerminal: true })
    expect(resumed.stdout).to.equal('unshared up/tree/sub/b\n')
    expect(resumed.stderr)
      .to.match(/unshare: \d of 2 files/)
      .and.include('1 changed, 1 needed no change')
    expect(resumed.stderr).to.include('cannot be unread')
    for (const name of names) {
      expect((await bob.machine.run(['cat', `${alice.address}:up/tree/${name}`])).status).to.equal(9)
    }
    const swept = await alice.machine.ok(['sweep', '--older-than', '0s', '--json'])
    expect(swept.stdout === '' ? 0 : swept.json().length).to.be.at.most(2)
    expect((await carol.machine.ok(['cat', `${alice.address}:up/tree/a`])).stdout).to.equal(`a ${long}`)
  })

  it('go on being fetched where an interrupted run ended', async () => {
    const { alice } = await people('alice')
    await alice.machine.ok(['put', '-', 'big', '--seal-for', 'alice'], { stdin: long.repeat(7) })
    const controller = new AbortController()
    const cutting: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init)
      if (Number(answer.headers.get('content-length')) < frameBytes) return answer
      let left = 6 * (frameBytes + 16)
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, onward) {
          onward.enqueue(chunk.subarray(0, left))
          left = Math.max(0, left - chunk.length)
          if (left > 0) return
          setTimeout(() => {
            controller.abort()
            onward.error(controller.signal.reason)
          }, 100)
        },
        flush: () => new Promise(() => undefined),
      })
      return new Response(answer.body?.pipeThrough(cut), answer)
    }
    const { signal } = controller
    expect((await alice.machine.run(['get', 'big'], { fetch: cutting, signal })).status).to.equal(130)
    const ranges: (string | null)[] = []
    const watching: typeof fetch = (input, init) => {
      ranges.push(new Headers(init?.headers).get('range'))
      return fetch(input, init)
    }
    await alice.machine.ok(['get', 'big'], { fetch: watching })
    expect(await alice.machine.read('big')).to.equal(long.repeat(7))
    const starts = ranges.map((range) => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? -1))
    expect(Math.max(...starts)).to.be.at.least(frameBytes)
    expect(starts).not.to.include(0)
  })

  it('are listed for those whom they were sealed for', async () => {
    const { alice, bob, mallory } = await people('alice', 'bob', 'mallory')
    await alice.machine.ok(['put', '-', 'plans/a', '--seal-for', bob.did], { stdin: 'x' })
    const listed = await bob.machine.ok(['shared', '--by', alice.did])
    expect(listed.stdout).to.equal(`${alice.address}:plans/a\n`)
    expect((await bob.machine.ok(['cat', listed.stdout.trim()])).stdout).to.equal('x')
    expect((await mallory.machine.ok(['shared', '--by', alice.did])).stdout).to.equal('')
    await alice.machine.ok(['unshare', 'plans/a', bob.did])
    expect((await bob.machine.ok(['shared', '--by', alice.address, '--json'])).stdout).to.equal('')
    expect((await bob.machine.run(['shared'])).status).to.equal(2)
  })

  it('have a history that is restored sealed, and go with their content', async () => {
    const { alice, bob } = await people('alice', 'bob')
    await alice.machine.ok(['put', '-', 'd/a', '--seal-for', bob.did], { stdin: `one ${long}` })
    await alice.machine.ok(['put', '-', 'd/a', '--seal-for', 'same', '--force', '--keep-history'], {
      stdin: 'two',
    })
    expect((await bob.machine.ok(['cat', `${alice.address}:d/a`])).stdout).to.equal('two')
    const restored = await alice.machine.ok(['restore', 'd/a'])
    expect(restored.stderr).to.include(`Who can open it now: ${bob.did}, alice`)
    expect((await bob.machine.ok(['cat', `${alice.address}:d/a`])).stdout).to.equal(`one ${long}`)
    await alice.machine.ok(['put', '-', 'p/a'], { stdin: 'for all' })
    const over = ['--seal-for', 'alice', '--force', '--keep-history']
    await alice.machine.ok(['put', '-', 'p/a', ...over], { stdin: 'sealed' })
    expect((await alice.machine.run(['restore', 'p/a'])).status).to.equal(4)
    expect((await alice.machine.ok(['cat', 'p/a'])).stdout).to.equal('sealed')
    await alice.machine.ok(['restore', 'p/a', '--plain'])
    expect((await alice.machine.ok(['cat', 'p/a'])).stdout).to.equal('for all')
    await alice.machine.ok(['put', '-', 'e/a', '--seal-for', 'alice'], { stdin: long })
    expect((await alice.machine.run(['rm', 'e/a', '--if-match', 'another'])).status).to.equal(4)
    await alice.machine.ok(['rm', 'e/a'])
    expect((await alice.machine.run(['ls', '--all', 'e/'])).status).to.equal(3)
  })

  it('are sealed for keys that are on this machine by their names, and not for a slip', async () => {
    const machine = await suite.machineOf('alice', 'bob')
    const { address } = await keyOf(machine, 'alice')
    await machine.ok(['put', '-', 'a', '--seal-for', 'bob'], { stdin: 'x' })
    expect((await machine.ok(['cat', `${address}:a`, '--as', 'bob'])).stdout).to.equal('x')
    const slip = await machine.run(['put', '-', 'b', '--seal-for', 'bbo'], { stdin: 'x' })
    expect([slip.status, slip.stderr.includes('bbo is neither')]).to.deep.equal([2, true])
    expect((await machine.run(['ls', 'b'])).status).to.equal(3)
  })
})
