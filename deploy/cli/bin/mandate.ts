#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

const args = process.argv.slice(2)
// Has V8 look for garbage before much of it has gathered, and before anything else is loaded, since then it is too late.
// From Node 22 on, the buffers of a large transfer would take half as much memory again; a server gains by the room.
if (args[0] !== 'serve') setFlagsFromString('--semi-space-growth-factor=1')
const { runMandate } = await import('../mandate.ts')
await runMandate(args)
