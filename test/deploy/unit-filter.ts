import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { debianProgram } from '../servers/debian-program.ts'

/** The sets of system calls that systemd knows, by their names: `@file-system`. */
async function callSets(): Promise<Map<string, string[]>> {
  const systemdAnalyze = await debianProgram('systemd-analyze', 'systemd')
  const { stdout } = await promisify(execFile)(systemdAnalyze, ['syscall-filter'])
  const blocks = stdout.matchAll(/^(@[a-z-]+)$((?:\n .*)*)/gm)
  return new Map(
    [...blocks].map(([, name = '', lines = '']) => [name, lines.match(/(?<=^ +)[@a-z0-9_-]+$/gm) ?? []]),
  )
}

/** What the lines `SystemCallFilter=` of a unit allow, each of which adds or, by a `~`, takes away (systemd.exec). */
async function allowedCalls(unit: string): Promise<Set<string>> {
  const sets = await callSets()
  const expand = (name: string): string[] => {
    if (!name.startsWith('@')) return [name]
    const members = sets.get(name)
    if (members === undefined) throw new Error(`systemd knows no set ${name}`)
    return members.flatMap(expand)
  }
  const allowed = new Set(expand('@default'))
  for (const [, sign, names = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.+)$/gm)) {
    for (const call of names.split(' ').flatMap(expand)) {
      if (sign === '~') allowed.delete(call)
      else allowed.add(call)
    }
  }
  return allowed
}

/**
 * The beginning of a command that runs a program as the filter of a unit would have it: every other system call fails,
 * and stands in the log. The program is the child itself, and strace is beside it.
 */
export async function underFilterOf(unit: string, log: string): Promise<string[]> {
  // Names of other machines are unknown to strace on this one, which passes over them by the question mark.
  const others = `!${[...(await allowedCalls(unit))].map((name) => `?${name}`).join()}`
  const filter = ['-e', `trace=${others}`, '-e', `inject=${others}:error=EPERM`, '-e', 'signal=none']
  return [await debianProgram('strace'), '-D', '-f', '--seccomp-bpf', '-qq', '-o', log, ...filter]
}
