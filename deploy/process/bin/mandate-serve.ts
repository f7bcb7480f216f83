#!/usr/bin/env node
import { runCommand } from '../command.ts'

await runCommand('both', process.argv.slice(2))
