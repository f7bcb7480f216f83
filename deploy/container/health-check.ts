// What the container's engine asks for its health by: the command that the container runs, with `--check-health`.
import { readFile } from 'node:fs/promises'
import { runCommand } from '../process/command.ts'
import { serverCommand } from './first-process.ts'

const { kind, argv } = serverCommand(await readFile('/proc/1/cmdline', 'utf8'))
await runCommand(kind, [...argv, '--check-health'])
// Engines know 0 and 1 only.
if (process.exitCode !== 0 && process.exitCode !== undefined) process.exitCode = 1
