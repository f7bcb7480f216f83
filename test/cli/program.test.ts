import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import type { Command } from 'commander'
import { completionNodes } from '../../client/cli/completion/tree.ts'
import { exitCodes } from '../../client/cli/exit-codes.ts'
import { formatBytes, formatSpan, parseBytes } from '../../client/cli/terminal/units.ts'
import { sourceRows } from '../../deploy/process/config/sources.ts'
import { suggest } from '../../deploy/process/config/suggest.ts'
import { documentedProgram } from '../docs/cli-reference.ts'
import { suiteMachines } from './cli-stage.ts'

describe('the command line', () => {
  const suite = suiteMachines()

  const usage: [title: string, argv: string[]][] = [
    ['an unknown command', ['lss']],
    ['an unknown command of a group', ['key', 'nw']],
    ['an unknown option', ['ls', '--lng']],
    ['a missing argument', ['put']],
    ['a missing required option', ['delegate', 'a/']],
    ['too many arguments', ['ls', 'a', 'b']],
    ['a number out of range', ['put', 'a', '--parallel', '0']],
    ['no size', ['delegate', 'a/', '--to', 'x', '--max-size', 'much']],
    ['no choice', ['key', 'new', 'k', '--type', 'rsa']],
    ['no URL', ['hub', 'info', '--hub', 'hub.example']],
    ['a profile that is not there', ['ls', '--profile', 'nowhere']],
    ['a profile with a name of the language', ['profile', 'set', '__proto__', '--hub', 'http://a.b']],
    ['nothing at all', []],
    ['a group alone', ['key']],
  ]
  for (const [title, argv] of usage) {
    it(`ends with status 2 for ${title}, and prints nothing as a result`, async () => {
      const machine = await suite.machine()
      const { status, stdout, stderr } = await machine.run(argv)
      expect([status, stdout]).to.deep.equal([2, ''])
      expect(stderr).not.to.equal('')
    })
  }

  it('tells errors as JSON where JSON is asked for, slips of the command line among them', async () => {
    const machine = await suite.machine()
    for (const [argv, exit] of [
      [['ls', '--json', '--lng'], 'usage'],
      [['key', 'show', 'nobody', '--json'], 'key'],
      [['ls', '--json', '--hub', 'http://127.0.0.1:1', '--as', 'nobody'], 'key'],
    ] as const) {
      const { status, stderr } = await machine.run(argv)
      const { error } = JSON.parse(stderr) as { error: { exit: keyof typeof exitCodes; status: number } }
      expect([error.exit, error.status]).to.deep.equal([exit, status])
      expect(exitCodes[error.exit].status).to.equal(status)
    }
  })

  it('says at once that no hub answers, with status 6', async () => {
    const machine = await suite.machineOf('alice')
    const began = Date.now()
    const { status, stderr } = await machine.run(['ls', '--hub', 'http://127.0.0.1:1'])
    expect([status, stderr.includes('no hub answers at http://127.0.0.1:1')]).to.deep.equal([6, true])
    expect(Date.now() - began).to.be.lessThan(2_000)
  })

  it('says that what answers is no hub', async () => {
    const machine = await suite.machineOf('alice')
    const { status, stderr } = await machine.run(['ls', '--hub', suite.stage().reader.url])
    expect(status).to.be.greaterThan(0)
    expect(stderr).to.match(/^error: /)
  })

  it('uses the hub and the key of a profile', async () => {
    const machine = await suite.machine(null)
    await machine.ok(['key', 'new', 'alice'])
    await machine.ok(['key', 'new', 'bob'])
    await machine.ok(['profile', 'set', 'work', '--hub', `${suite.stage().hub.url}/`, '--key', 'bob'])
    await machine.ok(['put', '-', 'a.txt', '--profile', 'work'], { stdin: 'of bob' })
    await machine.ok(['profile', 'use', 'work'])
    expect((await machine.ok(['cat', 'bob:a.txt'])).stdout).to.equal('of bob')
    expect((await machine.run(['cat', 'alice:a.txt'])).status).to.equal(3)
    expect((await machine.ok(['profile', 'list'])).stdout).to.match(/^ {3}default .*\n\* {2}work .* bob\n$/)
  })

  it('tells what a hub says of itself, without a key', async () => {
    const machine = await suite.machine()
    const [info] = (await machine.ok(['hub', 'info', '--json'])).json()
    expect(info).to.include({ url: suite.stage().hub.url })
    expect((await machine.ok(['hub', 'info'])).stdout).to.include('grants, ucan, revoke')
  })

  it('colours and draws for terminals only, and colours for none where NO_COLOR is set', async () => {
    const machine = await suite.machineOf('alice')
    const failing = ['cat', 'nothing.txt']
    const sequence = '\u001b['
    expect((await machine.run(failing)).stderr).not.to.include(sequence)
    expect((await machine.run(failing, { isTerminal: true })).stderr).to.include(`${sequence}31merror:`)
    const plain = await machine.run(failing, { isTerminal: true, env: { NO_COLOR: '1' } })
    expect(plain.stderr).not.to.include(sequence)
    await machine.write('a.txt', 'a')
    expect((await machine.ok(['put', 'a.txt'])).stderr).to.equal('')
    const shown = await machine.ok(['put', 'a.txt', '--force'], { isTerminal: true })
    expect(shown.stderr).to.include('put [')
    const quiet = await machine.ok(['put', 'a.txt', '--force', '--quiet'], { isTerminal: true })
    expect(quiet.stderr).to.equal('')
  })

  it('tells each default once, in words', () => {
    const program = documentedProgram()
    for (const { words: path } of completionNodes(program)) {
      expect(helpOf(program, path), path.join(' ')).not.to.match(
        /default:\s+\[|\(default: [^)]*\)\s+\(default/,
      )
    }
  })

  it('has examples in the help of each command, and each names a command that is there', () => {
    const program = documentedProgram()
    const nodes = completionNodes(program)
    const words = new Set(nodes.map((node) => node.words.join(' ')))
    for (const { words: path } of nodes.filter(({ commands }) => commands.length === 0)) {
      const help = helpOf(program, path)
      if (path.join(' ') !== 'serve') expect(help, path.join(' ')).to.include('Examples:')
      for (const [, first = '', second = ''] of help.matchAll(
        /mandate ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g,
      )) {
        const isThere =
          words.has(first) || words.has(`${first} ${second}`) || ['serve', 'help'].includes(first)
        expect(isThere, `${path.join(' ')}: mandate ${first} ${second}`).to.equal(true)
      }
    }
  })

  it('has variables that no server takes for slips of its own', () => {
    const own = ['MANDATE_KEY', 'MANDATE_PROFILE', 'MANDATE_HUB_URL', 'MANDATE_CLIENT_FOLDER']
    const known = sourceRows.map(({ env }) => env)
    expect(own.filter((name) => suggest(name, known) !== undefined)).to.deep.equal([])
  })

  describe('completes in a shell', () => {
    const nodes = completionNodes(documentedProgram())
    for (const shell of ['bash', 'zsh', 'fish']) {
      it(`every command and option by the script for ${shell}`, async () => {
        const machine = await suite.machine()
        const { stdout } = await machine.ok(['completion', shell])
        for (const { words, options } of nodes) {
          for (const word of words.filter((one) => one !== 'serve' && one !== 'copy'))
            expect(stdout).to.include(word)
          if (words.includes('copy') || words.includes('serve')) continue
          for (const { names } of options) expect(stdout).to.include((names[0] ?? '').slice(2))
        }
      })
    }

    const rows: [typed: string[], offered: string][] = [
      [['ke'], 'key'],
      [['key', 'ne'], 'new'],
      [['key', 'new', '--typ'], '--type'],
      [['key', 'new', '--type', 'ed'], 'ed25519'],
      [['completion', 'z'], 'zsh'],
      [['put', '--keep'], '--keep-history'],
    ]
    it('what bash asks for', async () => {
      const machine = await suite.machine()
      const { stdout: script } = await machine.ok(['completion', 'bash'])
      const asks = rows.map(
        ([typed]) =>
          `COMP_WORDS=(mandate ${typed.join(' ')}); COMP_CWORD=${typed.length}; COMPREPLY=(); _mandate; echo "\${COMPREPLY[*]}"`,
      )
      const { stdout, stderr } = spawnSync('bash', ['--norc'], {
        input: `${script}\n${asks.join('\n')}`,
        encoding: 'utf8',
      })
      expect(stderr).to.equal('')
      expect(stdout.trim().split('\n')).to.deep.equal(rows.map(([, offered]) => offered))
    })
  })
})

describe('sizes and spans of time', () => {
  const sizes: [string, number | null][] = [
    ['500', 500],
    ['20k', 20_480],
    ['1MiB', 1_048_576],
    ['1.5 GB', 1_500_000_000],
    ['', null],
    ['-1', null],
    ['1e3', null],
    ['99999999999999999g', null],
  ]
  for (const [text, bytes] of sizes) {
    it(`reads ${JSON.stringify(text)} as ${bytes} bytes`, () => {
      expect(parseBytes(text)).to.equal(bytes)
    })
  }

  it('are written for people', () => {
    expect([0, 1023, 1536, 12_582_912].map(formatBytes)).to.deep.equal(['0 B', '1023 B', '1.5 KiB', '12 MiB'])
    expect([45, 720, 18_000, 2_592_000].map(formatSpan)).to.deep.equal(['45 s', '12 min', '5 h', '30 days'])
  })
})

function helpOf(program: Command, path: readonly string[]): string {
  const help: string[] = []
  const command = path.reduce((at, word) => at.commands.find((one) => one.name() === word) ?? at, program)
  command.configureOutput({ writeOut: (text) => void help.push(text) })
  command.outputHelp()
  return help.join('')
}
