import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseAllDocuments } from 'yaml'
import { artefacts } from '../../deploy/functions/artefacts.ts'
import { loadConfig } from '../../deploy/process/config/load.ts'
import type { Kind } from '../../deploy/process/config/schema.ts'
import { parseTemplate, type Template, templateFaults } from './cloud-formation.ts'

const text = (path: string) => readFile(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8')

/** Fails where hub or reader would not take the variables of a template, or would warn of them. */
function expectVariables(kind: Kind, env: Record<string, string>): void {
  const { warnings } = loadConfig({ text: null, format: 'json', env, flags: new Map(), kind })
  expect(warnings).to.deep.equal([])
}

describe('the CloudFormation template', () => {
  let source = ''
  let template: Template
  before(async () => {
    source = await text('aws-lambda/template.yaml')
    template = parseTemplate(source)
  })

  it("has only resources and properties of AWS's own schema, and all that must be there", async () => {
    expect(await templateFaults(template)).to.deep.equal([])
  }).timeout(30_000)

  it('would be found at fault for a slip in a name, a value or a list', async () => {
    const slips: [from: string, to: string, fault: string][] = [
      ['AWS::Lambda::Url', 'AWS::Lambda::URL', 'ReaderUrl: no such type AWS::Lambda::URL'],
      ['RetentionInDays: !Ref LogRetentionDays', 'RetentionDays: 1', 'HubLog.RetentionDays is not known'],
      ['AuthType: NONE', 'AuthType: NOBODY', 'ReaderUrl.AuthType cannot be NOBODY'],
      ['Status: Enabled', 'Prefix: ""', 'Files.LifecycleConfiguration.Rules[0].Status is missing'],
    ]
    for (const [from, to, fault] of slips) {
      expect(await templateFaults(parseTemplate(source.replace(from, to)))).to.include(fault)
    }
  }).timeout(30_000)

  it('refers to nothing that it has not, and uses no part of YAML that CloudFormation refuses', () => {
    const names = new Set([...Object.keys(template.Parameters), ...Object.keys(template.Resources)])
    const referred = [...source.matchAll(/!(?:Ref|GetAtt) ([A-Za-z]+)(?![A-Za-z:])|\$\{([A-Za-z]+)[.}]/g)]
    expect(referred).to.have.lengthOf.at.least(20)
    for (const [, one, other] of referred) expect(names).to.include(one ?? other)
    expect(source).to.not.match(/[:\s][&*][a-z]|<<:/)
  })

  it('lets the hub do to its bucket what the driver does, and the reader only read', () => {
    const actions = (role: string) =>
      [...JSON.stringify(template.Resources[role]).matchAll(/"(s3:[A-Za-z*]+)"/g)].map(([, name]) => name)
    const reading = ['s3:GetObject', 's3:ListBucket']
    expect(actions('HubRole')).to.have.members([
      ...reading,
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
    ])
    expect(actions('ReaderRole')).to.have.members(reading)
  })

  for (const [name, kind] of [
    ['Hub', 'hub'],
    ['Reader', 'reader'],
  ] as const) {
    it(`gives the ${kind} variables that it takes, and has its alarms`, () => {
      const { Environment, Handler } = (template.Resources[name]?.Properties ?? {}) as {
        Environment: { Variables: Record<string, unknown> }
        Handler: string
      }
      expect(Handler).to.equal('app/index.handler')
      const known: Record<string, string> = {
        GAIA_READ_URL: 'https://r.example/',
        GAIA_SERVER_NAME: '7d4b6a10.hub',
        MANDATE_S3_REGION: 'eu-central-1',
      }
      const env = Object.entries(Environment.Variables).map(([key, value]) => {
        const filled = {
          GAIA_WHITELIST: '',
          MANDATE_MAX_FILE_UPLOAD_SIZE: '100',
          GAIA_BUCKET_NAME: 'files',
          ...known,
        }[key]
        return [key, typeof value === 'string' ? value : filled]
      })
      expectVariables(kind, Object.fromEntries(env) as Record<string, string>)
      for (const alarm of ['Errors', 'ServerErrors', 'Throttles', 'Duration']) {
        expect(template.Resources[`${name}${alarm}`]?.Type).to.equal('AWS::CloudWatch::Alarm')
      }
    })
  }
})

describe('the services for Cloud Run', () => {
  interface Service {
    kind: string
    metadata: { name: string }
    spec: {
      template: {
        spec: {
          containers: {
            args: string[]
            env: { name: string; value: string }[]
            ports: { containerPort: number }[]
          }[]
        }
      }
    }
  }

  for (const [i, kind] of (['reader', 'hub'] as const).entries()) {
    it(`start the ${kind} with variables that it takes, at the port that is asked`, async () => {
      const documents = parseAllDocuments(await text('google-cloud/service.yaml'))
      const service = documents[i]?.toJS() as Service
      expect([service.kind, service.metadata.name]).to.deep.equal(['Service', `mandate-${kind}`])
      const [container] = service.spec.template.spec.containers
      expect(container?.args).to.deep.equal([`build/deploy/process/bin/mandate-${kind}.js`])
      const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]))
      expect(env.GAIA_PORT).to.equal(String(container?.ports[0]?.containerPort))
      expectVariables(kind, {
        ...env,
        GAIA_BUCKET_NAME: 'files',
        GAIA_SERVER_NAME: 'hub.example',
        GAIA_READ_URL: 'https://files.example/',
      })
    })
  }
})

describe('the notes on functions', () => {
  for (const cloud of ['aws-lambda', 'google-cloud', 'azure']) {
    it(`(${cloud}) name artefacts and variables that there are, and the smoke test`, async () => {
      const readme = await text(`${cloud}/README.md`)
      const named = new Set(readme.match(/\b(aws-lambda|google-cloud|azure)-(hub|reader)(?=\.zip|\b)/g))
      expect([...named]).to.have.members(
        artefacts.filter((one) => one.cloud === cloud).map(({ name }) => name),
      )
      expect(readme).to.include('build/deploy/smoke.js')
      const variables = [...readme.matchAll(/\b((?:GAIA|MANDATE)_[A-Z0-9_]+)=("[^"]*"|[^\s,;"\\]+)/g)]
      for (const [, name = '', value = ''] of variables) {
        const filled = /URL/.test(name) ? 'https://x.example/' : /^\$|[A-Z]{4}|"/.test(value) ? 'x' : value
        expectNoFault(name, filled)
      }
    })
  }

  it('(azure) have a host.json that leaves hub and reader the whole path, and settings of functions in Node', async () => {
    const host = JSON.parse(await text('azure/host.json')) as {
      extensions: { http: { routePrefix: string } }
    }
    expect(host.extensions.http.routePrefix).to.equal('')
    const { Values } = JSON.parse(await text('azure/local.settings.sample.json')) as {
      Values: Record<string, string>
    }
    expect(Values.FUNCTIONS_WORKER_RUNTIME).to.equal('node')
    expectVariables(
      'hub',
      Object.fromEntries(Object.entries(Values).filter(([name]) => /^(GAIA|MANDATE)_/.test(name))),
    )
  })
})

function expectNoFault(name: string, value: string): void {
  const env = {
    GAIA_DRIVER: 's3',
    MANDATE_AZURE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
    [name]: value,
  }
  expect(
    () => loadConfig({ text: null, format: 'json', env, flags: new Map(), kind: 'hub' }),
    `${name}=${value}`,
  ).to.not.throw()
}
