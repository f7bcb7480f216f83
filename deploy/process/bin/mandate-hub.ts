#!/usr/bin/env node
import { runCommand } from '../command.ts'

await runCommand('hub', process.argv.slice(2))
