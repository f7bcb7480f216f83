import { execFile } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../deploy/process/config/load.ts'
import type { Kind } from '../../deploy/process/config/schema.ts'
import { sourceRows } from '../../deploy/process/config/sources.ts'
import { debianProgram, suiteNeedsProgram } from '../servers/debian-program.ts'
import { addressIn, endBins, startBin, tempFolder } from './bins.ts'
import { alice, authorizationAt, store } from './owner.ts'
import { underFilterOf } from './unit-filter.ts'

const checkout = new URL('../../../', import.meta.url)
const text = (path: string) => readFile(new URL(path, checkout), 'utf8')
const knownVariables = new Set(sourceRows.map(({ env }) => env))

/** Names of settings in a text, `GAIA_PORT` for instance. */
function variablesIn(content: string): string[] {
  return content.match(/\b(?:GAIA|MANDATE)_[A-Z0-9_]+\b/g) ?? []
}

/** Fails where the configuration of a template is not one that the server takes without a warning. */
function expectConfig(file: string, kind: Kind, env: Record<string, string> = {}): void {
  const { warnings } = loadConfig({ text: file, format: 'json', env, flags: new Map(), kind })
  expect(warnings).to.deep.equal([])
}

/** The scripts of the build that a text names. */
async function expectScripts(content: string): Promise<void> {
  const scripts = content.match(/build\/deploy\/[a-z/-]+\.js/g) ?? []
  expect(scripts).to.have.lengthOf.at.least(1)
  for (const script of scripts) await access(new URL(script.replace('build/', '../../'), import.meta.url))
}

/** What an end in order takes at the most: the grace time, the page of metrics and the last traces, and a little. */
function endSeconds(file: string): number {
  const { config } = loadConfig({ text: file, format: 'json', env: {}, flags: new Map(), kind: 'hub' })
  return config.timeouts.graceTimeout + 5
}

describe('the container image', () => {
  it('starts scripts that the build makes, as a user without rights, and is asked for its health', async () => {
    const dockerfile = await text('deploy/container/Dockerfile')
    await expectScripts(dockerfile)
    expect(dockerfile).to.match(/^USER node$/m)
    expect(dockerfile).to.match(/^HEALTHCHECK .*"node", "build\/deploy\/[a-z/-]+\.js"/m)
    for (const name of variablesIn(dockerfile)) expect(knownVariables).to.include(name)
  })

  it('is of one Node throughout, says which version it holds, and takes nothing that only a later builder knows', async () => {
    const dockerfile = await text('deploy/container/Dockerfile')
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
    expect(new Set(bases)).to.deep.equal(new Set(['node:24-bookworm-slim']))
    const { version } = JSON.parse(await text('package.json')) as { version: string }
    expect(dockerfile).to.include(`org.opencontainers.image.version="${version}"`)
    expect(dockerfile).not.to.match(/^RUN --mount|^# syntax/m)
  })

  it('is built from sources alone, without what is filled in or stored on this machine', async () => {
    const rules = (await text('.dockerignore')).split('\n').filter((line) => /^[^#]/.test(line))
    const [first, ...others] = rules
    expect(first).to.equal('*')
    const taken = others.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1))
    const { include } = JSON.parse(await text('tsconfig.json')) as { include: string[] }
    const sources = include.filter((folder) => folder !== 'test' && folder !== 'bench')
    const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE']
    expect(taken).to.have.members([...sources, ...files])
    const secrets = ['env', 'json', 'key', 'pem'].map((kind) => `*/**/*.${kind}`)
    expect(rules).to.include.members(secrets)
  })
})

describe('the compose files', () => {
  interface Service {
    command?: string[]
    environment?: Record<string, string>
    read_only?: boolean
    stop_grace_period?: string
    logging?: { options: Record<string, string> }
  }
  const files = ['compose.yaml', 'compose.s3.yaml', 'compose.gcs.yaml', 'compose.azure.yaml']
  const services = async (file: string) => {
    const content = await text(`deploy/container/${file}`)
    return (parse(content, { merge: true, logLevel: 'error' }) as { services: Record<string, Service> })
      .services
  }

  for (const file of files) {
    it(`(${file}) set only variables that hub and reader know`, async () => {
      const all = variablesIn(await text(`deploy/container/${file}`))
      expect(all).to.have.lengthOf.at.least(1)
      for (const name of all) expect(knownVariables).to.include(name)
    })
  }

  it('ask for no variable that env.sample does not name', async () => {
    const sample = await text('deploy/container/env.sample')
    for (const file of files) {
      const content = (await text(`deploy/container/${file}`)).replaceAll(/^\s*#.*$/gm, '')
      for (const [, name = ''] of content.matchAll(/\$\{([A-Z0-9_]+)/g)) {
        expect(sample, `${name} of ${file}`).to.match(new RegExp(`^#?${name}=`, 'm'))
      }
    }
  })

  it('keep a bounded log of each service', async () => {
    for (const [name, { logging }] of Object.entries(await services('compose.yaml'))) {
      expect(logging?.options, name).to.have.keys('max-size', 'max-file')
    }
  })

  it('name in env.sample only variables that hub and reader know', async () => {
    for (const name of variablesIn(await text('deploy/container/env.sample'))) {
      expect(knownVariables).to.include(name)
    }
  })

  it('give services the time that their end takes', async () => {
    const all = await services('compose.yaml')
    for (const name of ['hub', 'reader']) {
      const given = Number(/^([0-9]+)s$/.exec(all[name]?.stop_grace_period ?? '')?.[1])
      expect(given, name).to.be.at.least(endSeconds('{}'))
    }
  })

  for (const [kind, name] of [
    ['hub', 'hub'],
    ['reader', 'reader'],
  ] as const) {
    for (const store of ['', 's3', 'gcs', 'azure']) {
      it(`give the ${name} a configuration that it takes (${store === '' ? 'disk' : store})`, async () => {
        const own = { HUB_HOST: 'hub.example.org', FILES_HOST: 'files.example.org' }
        const given = { ...own, GAIA_BUCKET_NAME: 'bucket', GAIA_AZURE_ACCOUNT_NAME: 'account' }
        const layers = [
          await services('compose.yaml'),
          ...(store === '' ? [] : [await services(`compose.${store}.yaml`)]),
        ]
        const environment = Object.assign(
          {},
          ...layers.map((layer) => layer[name]?.environment ?? {}),
        ) as Record<string, string>
        const env = Object.entries(environment).map(([key, value]) => [key, filledIn(value, given)])
        expectConfig('{}', kind, Object.fromEntries(env) as Record<string, string>)
        expect(layers[0]?.[name]?.read_only).to.equal(true)
        await expectScripts(layers[0]?.[name]?.command?.join(' ') ?? '')
      })
    }
  }
})

/** What compose puts in place of `${NAME}`, `${NAME:?why}`, `${NAME:-default}` and `${NAME:+where it is set}`. */
function filledIn(value: string, given: Record<string, string>): string {
  return value.replace(
    /\$\{([A-Z_]+)(?::([?+-])([^}]*))?\}/g,
    (_whole, name: string, sign: string | undefined, other = '') =>
      sign === '+' ? (given[name] === undefined ? '' : other) : (given[name] ?? other),
  )
}

describe('the Kubernetes manifests', () => {
  type Manifest = { kind: string; metadata: { name: string }; [member: string]: unknown }
  const manifests = async () =>
    parseAllDocuments(await text('deploy/kubernetes/mandate.yaml')).map((one) => {
      expect(one.errors).to.deep.equal([])
      return one.toJS() as Manifest
    })
  const at = (value: unknown, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>(
      (found, name) => (found as Record<string | number, unknown> | undefined)?.[name],
      value,
    )

  it('hold a configuration that hub and reader take', async () => {
    const map = (await manifests()).find(({ kind }) => kind === 'ConfigMap')
    const file = String(at(map, 'data', 'config.json'))
    expectConfig(file, 'hub')
    expectConfig(file, 'reader')
  })

  it('run pods without rights, which are asked at routes that there are, on the port that is configured', async () => {
    const deployments = (await manifests()).filter(({ kind }) => kind === 'Deployment')
    expect(deployments.map(({ metadata }) => metadata.name)).to.have.members(['hub', 'reader'])
    for (const deployment of deployments) {
      const pod = at(deployment, 'spec', 'template', 'spec')
      const container = at(pod, 'containers', 0)
      await expectScripts((at(container, 'args') as string[]).join(' '))
      expect(at(pod, 'securityContext', 'runAsNonRoot')).to.equal(true)
      expect(at(pod, 'enableServiceLinks')).to.equal(false)
      expect(at(container, 'securityContext')).to.deep.equal({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      })
      expect(at(container, 'ports', 0, 'containerPort')).to.equal(3000)
      expect(at(container, 'readinessProbe', 'httpGet', 'path')).to.equal('/readyz')
      expect(at(container, 'livenessProbe', 'httpGet', 'path')).to.equal('/healthz')
    }
  })

  it('come with steps that make the namespace before anything in it', async () => {
    const commands = (await text('deploy/kubernetes/README.md')).match(/kubectl .*/g) ?? []
    const made = commands.findIndex((command) => /namespace mandate|mandate\.yaml/.test(command))
    const used = commands.findIndex((command) => command.includes('-n mandate'))
    expect([made, used]).to.deep.equal([0, 1])
  })

  it('lead from the ingress to services, and from these to the pods', async () => {
    const all = await manifests()
    const ingress = all.find(({ kind }) => kind === 'Ingress')
    const backends = (at(ingress, 'spec', 'rules') as unknown[]).map((rule) =>
      at(rule, 'http', 'paths', 0, 'backend', 'service', 'name'),
    )
    for (const name of backends) {
      const service = all.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name)
      const deployment = all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)
      expect(at(service, 'spec', 'selector')).to.deep.equal(
        at(deployment, 'spec', 'template', 'metadata', 'labels'),
      )
    }
  })

  it('give pods the time that their end takes', async () => {
    const all = await manifests()
    const config = String(
      at(
        all.find(({ kind }) => kind === 'ConfigMap'),
        'data',
        'config.json',
      ),
    )
    for (const deployment of all.filter(({ kind }) => kind === 'Deployment')) {
      const pod = at(deployment, 'spec', 'template', 'spec')
      const preStop = at(pod, 'containers', 0, 'lifecycle', 'preStop', 'exec', 'command') as string[]
      const pauseSeconds = Number(/, ([0-9]+)\)/.exec(preStop.join(' '))?.[1]) / 1000
      const given = Number(at(pod, 'terminationGracePeriodSeconds'))
      expect(given - pauseSeconds).to.be.at.least(endSeconds(config))
    }
  })
})

describe('the systemd units', () => {
  suiteNeedsProgram('systemd-analyze', 'systemd')
  suiteNeedsProgram('strace')
  afterEach(endBins)

  it('come with a configuration that hub and reader take', async () => {
    const file = await text('deploy/systemd/config.json')
    expectConfig(file, 'hub')
    expectConfig(file, 'reader')
  })

  for (const name of ['hub', 'reader']) {
    it(`(${name}) start a script that the build makes, with few rights`, async () => {
      const unit = await text(`deploy/systemd/mandate-${name}.service`)
      await expectScripts(unit)
      expect(unit).to.match(/^User=mandate$/m)
      const given = Number(/^TimeoutStopSec=([0-9]+)$/m.exec(unit)?.[1])
      expect(given).to.be.at.least(endSeconds(await text('deploy/systemd/config.json')))
      const file = fileURLToPath(new URL(`deploy/systemd/mandate-${name}.service`, checkout))
      const systemdAnalyze = await debianProgram('systemd-analyze', 'systemd')
      const { stdout } = await promisify(execFile)(systemdAnalyze, ['security', '--offline=yes', file])
      const exposure = Number(/Overall exposure level[^:]*: ([0-9.]+)/.exec(stdout)?.[1])
      expect(exposure).to.be.at.most(2)
    })
  }

  it('serve the metrics of each at a port of its own, where Prometheus is told to collect them', async () => {
    const file = await text('deploy/systemd/config.json')
    const places = []
    for (const kind of ['hub', 'reader'] as const) {
      const unit = await text(`deploy/systemd/mandate-${kind}.service`)
      const env = Object.fromEntries(
        [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, ...pair]) => pair),
      )
      const { config } = loadConfig({ text: file, format: 'json', env, flags: new Map(), kind })
      places.push(`${config.metrics.host}:${config.metrics.port}`)
    }
    const prometheus: unknown = parse(await text('deploy/observability/prometheus.yaml'))
    expect(prometheus)
      .to.have.nested.property('scrape_configs[0].static_configs[0].targets')
      .that.deep.equals(places)
    expect(new Set(places)).to.have.lengthOf(2)
  })

  it('let hub and reader do all they do, and refuse other system calls without an end to the process', async () => {
    const folder = await tempFolder()
    const hub = await startUnit('hub', folder, ['--workers', '2'])
    const reader = await startUnit('reader', folder)
    const url = addressIn(hub.running, 'write at')
    for (const body of ['milk', 'milk and eggs'])
      expect((await store(url, 'list.txt', body)).status).to.equal(202)
    const ask = async (method: string, path: string, body?: string) => {
      const headers = { authorization: await authorizationAt(url), 'content-type': 'application/json' }
      return await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
    }
    const listed = await ask('POST', `list-files/${alice}`, '{"page":null}')
    expect(await listed.json()).to.deep.include({ entries: ['list.txt'] })
    const read = await fetch(`${addressIn(reader.running, 'read at')}${alice}/list.txt`)
    expect(await read.text()).to.equal('milk and eggs')
    expect((await ask('DELETE', `delete/${alice}/list.txt`)).status).to.equal(202)
    const oldestValidTimestamp = Math.floor(Date.now() / 1000) - 60
    const revoked = await ask('POST', `revoke-all/${alice}`, JSON.stringify({ oldestValidTimestamp }))
    expect(revoked.status).to.equal(202)
    for (const { running, unit, refusedCalls } of [hub, reader]) {
      running.child.kill('SIGTERM')
      expect(await running.exit(), running.stderr()).to.equal(0)
      expect(await refusedCalls()).to.equal('')
      expect(unit).to.match(/^SystemCallErrorNumber=EPERM$/m)
    }
  })

  /** What a unit runs, by its filter, over the storage in a folder. */
  async function startUnit(kind: 'hub' | 'reader', folder: string, args: string[] = []) {
    const unit = await text(`deploy/systemd/mandate-${kind}.service`)
    const log = join(folder, `${kind}-calls`)
    const running = await startBin(`mandate-${kind}`, {
      under: await underFilterOf(unit, log),
      args: ['--host', '127.0.0.1', '--port', '0', ...args],
      file: { diskSettings: { storageRootDirectory: join(folder, 'data') }, metrics: { port: 0 } },
    })
    await running.until(/ stop +Ctrl-C/)
    return { running, unit, refusedCalls: () => readFile(log, 'utf8') }
  }
})
