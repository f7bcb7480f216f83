#!/usr/bin/env node
import { runCommand } from '../command.ts'

await runCommand('reader', process.argv.slice(2))
