#!/usr/bin/env node
import { runMandate } from '../mandate.ts'

await runMandate(process.argv.slice(2))
