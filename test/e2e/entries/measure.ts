import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { artefacts } from '../../../deploy/functions/artefacts.ts'
import { serverName } from '../../hub/tokens.ts'
import { artefact } from './artefacts.ts'
import { ask } from './ask.ts'
import { type CountedStorage, counted } from './counted.ts'
import { runFunction } from './run.ts'
import { storages } from './storages.ts'

// Weighs the artefacts and measures their cold starts, and writes the table that is committed.

const table = new URL('../../../../deploy/functions/RESULTS.md', import.meta.url)
const rounds = 7

interface Start {
  artefact: (typeof artefacts)[number]
  storage: CountedStorage
  env?: Record<string, string>
}

/** From the start of the process to the end of its first answer, which had to ask the storage. */
async function coldStartMs({ artefact: { cloud, kind }, storage, env = {} }: Start): Promise<number> {
  const own = {
    GAIA_SERVER_NAME: serverName,
    GAIA_READ_URL: 'https://files.example/',
    MANDATE_LOG_LEVEL: 'warn',
  }
  const startMs = performance.now()
  const running = await runFunction(cloud, kind, { ...storage.env, ...own, ...env })
  try {
    const { status } = await ask(running.url, 'GET', '/readyz')
    if (status !== 200) throw new Error(`the first answer was ${status}`)
    return performance.now() - startMs
  } finally {
    await running.end()
  }
}

/** The middle one, the slowest, and how often the storage was asked. */
async function measured(start: Start): Promise<string> {
  const times: number[] = []
  // The first one warms the disk.
  for (let i = 0; i <= rounds; i++) {
    start.storage.requests()
    times.push(await coldStartMs(start))
  }
  const asked = start.storage.requests()
  const sorted = times.slice(1).toSorted((a, b) => a - b)
  return `${Math.round(sorted[Math.floor(rounds / 2)] ?? 0)} ms | ${Math.round(sorted.at(-1) ?? 0)} ms | ${asked}`
}

const mega = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`

/** What else the machine had to do: on a busy one all takes longer. */
const [load = 0] = loadavg()

const rows: string[] = []
for (const one of artefacts) {
  const { zipBytes, codeBytes } = await artefact(one.name)
  const storage = await counted(await storages[one.cloud]())
  const row = (what: string, times: string) =>
    rows.push(`| ${one.name}${what} | ${mega(zipBytes)} | ${mega(codeBytes)} | ${times} |`)
  try {
    row('', await measured({ artefact: one, storage }))
    if (one.cloud === 'aws-lambda' && one.kind === 'hub') {
      const env = { MANDATE_DIRECT_UPLOAD_THRESHOLD: '4000000' }
      row(', with direct uploads', await measured({ artefact: one, storage, env }))
    }
  } finally {
    await storage.end()
  }
}

await writeFile(
  table,
  `# Artefacts of functions: sizes and cold starts

Made by \`npm run measure:functions\`, Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), beside a load
of ${load.toFixed(1)}.

| artefact | zipped | code | cold start, median of ${rounds} | slowest | requests to the storage |
|---|---|---|---|---|---|
${rows.join('\n')}

A cold start is from the start of the process to the end of its first answer, one that asks the storage (\`/readyz\`): Node,
the code, the platform's runtime or what stands for it, the configuration, and all that the server tries at its start. The
storages are servers on the same machine (Ceph, a server of Google's API, Azurite). A cloud adds the time to make a
sandbox and to bring the code there, and that its storage is further away: over S3 a start of the hub takes longer by some
12 times the way there and back, with direct uploads by some 28 times. These requests are the price of finding out, before
anything is stored, what the storage can be relied on for; with direct uploads it is also tried to get around each condition
of a presigned one.

Of the zipped size, 1 MB is native code for the checks of signatures (where the platform does not install it), and 0.2 MB
the page that describes the API.
`,
)
process.exit()
