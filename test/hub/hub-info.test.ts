import { expect } from 'chai'
import { startHub, suiteHub, withHub } from './harness.ts'
import { alice } from './people.ts'
import { challenge } from './tokens.ts'

describe('hub_info', () => {
  const suite = suiteHub(() => ({
    readUrlPrefix: 'https://read.example/files',
    maxFileUploadSizeMegabytes: 20,
  }))

  for (const path of ['/hub_info', '/hub_info/', '/hub_info?_=1']) {
    it(`is told at ${path}`, async () => {
      const answer = await suite.hub.send('GET', path)
      expect(answer.status).to.equal(200)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      expect(answer.json).to.include({
        challenge_text: challenge(),
        latest_auth_version: 'v1',
        max_file_upload_size_megabytes: 20,
      })
    })
  }

  it('gives a read_url_prefix that ends in a slash, since clients concatenate', async () => {
    expect((await suite.hub.send('GET', '/hub_info')).json?.read_url_prefix).to.equal(
      'https://read.example/files/',
    )
  })

  it('needs no credential and ignores a broken one', async () => {
    expect((await suite.hub.send('GET', '/hub_info', { token: 'v1:x' })).status).to.equal(200)
  })

  it('has the same headers and no body for HEAD', async () => {
    const [get, head] = [await suite.hub.send('GET', '/hub_info'), await suite.hub.send('HEAD', '/hub_info')]
    expect(head.status).to.equal(200)
    expect(head.body.length).to.equal(0)
    expect(head.headers.get('content-length')).to.equal(String(get.body.length))
  })

  it('names the server of its own configuration in the challenge', () =>
    withHub({ serverName: 'other.example' }, async (hub) => {
      expect((await hub.send('GET', '/hub_info')).json?.challenge_text).to.equal(
        challenge('0', 'other.example'),
      )
    }))
})

describe('CORS', () => {
  const suite = suiteHub()

  it('lets a browser of any origin send what clients send, x-hiro-product included', async () => {
    const answer = await suite.hub.send('OPTIONS', `/store/${alice.address}/f`, {
      headers: {
        Origin: 'https://dapp.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type,if-match,if-none-match,x-hiro-product',
      },
    })
    expect(answer.status).to.equal(204)
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
    expect(answer.headers.get('access-control-max-age')).to.equal('86400')
    expect(list(answer.headers.get('access-control-allow-methods'))).to.have.members([
      'delete',
      'post',
      'put',
      'get',
      'options',
      'head',
    ])
    expect(list(answer.headers.get('access-control-allow-headers'))).to.include.members([
      'authorization',
      'content-type',
      'if-match',
      'if-none-match',
      'x-hiro-product',
    ])
  })

  it('never answers the allowed headers with a star, which would leave Authorization out', async () => {
    const answer = await suite.hub.send('OPTIONS', '/hub_info')
    expect(list(answer.headers.get('access-control-allow-headers'))).not.to.include('*')
  })

  for (const [what, method, path] of [
    ['an answer', 'GET', '/hub_info'],
    ['a refused credential', 'POST', `/store/${alice.address}/f`],
    ['a refused path', 'POST', `/store/${alice.address}/%00`],
    ['an unknown route', 'GET', '/nothing-here'],
  ] as const) {
    it(`stands on ${what}, with the ETag exposed`, async () => {
      const answer = await suite.hub.send(method, path)
      expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
      expect(list(answer.headers.get('access-control-expose-headers'))).to.include('etag')
    })
  }
})

describe('an unknown route', () => {
  const suite = suiteHub()

  for (const [method, path] of [
    ['GET', '/'],
    ['GET', `/store/${alice.address}/f`],
    ['PUT', `/store/${alice.address}/f`],
    ['POST', '/store'],
    ['POST', `/store/${alice.address}`],
    ['POST', `/STORE/${alice.address}/f`],
    ['POST', `/x/store/${alice.address}/f`],
    ['POST', `/delete/${alice.address}/f`],
    ['GET', `/list-files/${alice.address}`],
    ['POST', `/list-files/${alice.address}/f`],
    ['POST', '/list-files/'],
    ['POST', `/revoke-all/${alice.address}/f`],
    ['POST', '/hub_info'],
    ['GET', '/hub_info/x'],
  ] as const) {
    it(`is 404: ${method} ${path.replace(alice.address, '<address>')}`, async () => {
      const answer = await suite.hub.send(method, path, { by: alice })
      expect(answer.status).to.equal(404)
      expect(answer.json?.error).to.equal('DoesNotExist')
    })
  }

  it('leaves no file behind', async () => {
    const hub = await startHub({ driver: suite.hub.driver })
    const { json } = await hub.list({ page: null }, { by: alice })
    await hub.close()
    expect(json?.entries).to.deep.equal([])
  })
})

function list(header: string | null): string[] {
  return (header ?? '').toLowerCase().split(/\s*,\s*/)
}
