#!/usr/bin/env node
import { runDemo } from '../demo/run-demo.ts'

process.exitCode = await runDemo((line) => process.stdout.write(`${line}\n`))
