import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Bucket, type File, Storage } from '@google-cloud/storage'
import { expect } from 'chai'
import { crc32c } from './crc32c.ts'
import { type GcsServer, startGcsServer } from './gcs.ts'

/** Our server for tests, asked by Google's own library. */
describe('the server that stands for Google Cloud Storage', () => {
  let server: GcsServer
  let bucket: Bucket
  before(async () => {
    server = await startGcsServer()
    ;[bucket] = await new Storage({ apiEndpoint: server.url, projectId: 'p' }).createBucket('bucket')
  })
  beforeEach(() => server.store.bucket('bucket').clear())
  after(() => server.stop())

  const refusal = async (task: Promise<unknown>): Promise<[number, string | undefined]> => {
    try {
      await task
    } catch (error) {
      const { code, errors } = error as { code: number; errors?: { reason?: string }[] }
      return [code, errors?.[0]?.reason]
    }
    throw new Error('expected a refusal')
  }
  const save = async (file: File, content: string): Promise<string> => {
    await file.save(content, { resumable: false })
    return String((await file.getMetadata())[0].generation)
  }

  it('calculates CRC-32C as RFC 3720 shows it', () => {
    const rows: [Buffer, string][] = [
      [Buffer.alloc(32), '8a9136aa'],
      [Buffer.alloc(32, 0xff), '62a8ab43'],
      [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
    ]
    for (const [bytes, wanted] of rows) {
      expect(Buffer.from(crc32c(bytes), 'base64').toString('hex')).to.equal(wanted)
    }
  })

  it('takes one request, a stream and parts, and gives the same bytes and checksums back', async () => {
    const content = Buffer.alloc(1_500_000, 'abc')
    for (const options of [
      { resumable: false },
      { resumable: true },
      { resumable: true, chunkSize: 512 * 1024 },
    ]) {
      await bucket.file('f').save(content, { ...options, contentType: 'a/b', validation: 'crc32c' })
      const [bytes] = await bucket.file('f').download({ validation: 'crc32c' })
      expect(bytes.equals(content)).to.equal(true)
      expect((await bucket.file('f').getMetadata())[0]).to.include({ contentType: 'a/b', size: '1500000' })
    }
  })

  it('takes a stream of unknown length', async () => {
    const body = Readable.from([Buffer.alloc(300_000), Buffer.alloc(300_000)])
    await pipeline(body, bucket.file('s').createWriteStream({ resumable: true, chunkSize: 256 * 1024 }))
    expect((await bucket.file('s').getMetadata())[0].size).to.equal('600000')
  })

  it('holds writes, deletes and changes of metadata to their conditions', async () => {
    const file = bucket.file('c')
    const first = await save(file, '1')
    const second = await save(file, '2')
    expect(BigInt(second) > BigInt(first)).to.equal(true)
    const failed = [412, 'conditionNotMet']
    for (const generation of ['0', first]) {
      const preconditionOpts = { ifGenerationMatch: generation }
      for (const resumable of [false, true]) {
        const [code] = await refusal(file.save('x', { resumable, preconditionOpts }))
        expect(code).to.equal(412)
      }
      expect(await refusal(file.delete(preconditionOpts))).to.deep.equal(failed)
    }
    expect(await refusal(file.setMetadata({ contentType: 'x' }, { ifMetagenerationMatch: 9 }))).to.deep.equal(
      failed,
    )
    await file.setMetadata({ contentType: 'x' }, { ifMetagenerationMatch: 1 })
    expect((await file.getMetadata())[0]).to.include({ metageneration: '2', generation: second })
    await file.save('3', { resumable: false, preconditionOpts: { ifGenerationMatch: second } })
    await file.delete()
    await file.save('4', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })
  })

  it('tells a reader who has the version that it has it', async () => {
    const generation = await save(bucket.file('n'), 'x')
    const url = `${server.url}/storage/v1/b/bucket/o/n?alt=media&ifGenerationNotMatch=`
    expect((await fetch(url + generation)).status).to.equal(304)
    expect((await fetch(`${url}1`)).status).to.equal(200)
  })

  it('gives ranges, and one version', async () => {
    const generation = await save(bucket.file('r'), '0123456789')
    const url = `${server.url}/storage/v1/b/bucket/o/r?alt=media`
    const rows: [string, number, string, string | null][] = [
      ['bytes=2-5', 206, '2345', 'bytes 2-5/10'],
      ['bytes=8-', 206, '89', 'bytes 8-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=5-99', 206, '56789', 'bytes 5-9/10'],
      ['bytes=10-', 416, 'Request range not satisfiable', null],
    ]
    for (const [range, status, body, contentRange] of rows) {
      const answer = await fetch(url, { headers: { Range: range } })
      expect([answer.status, await answer.text(), answer.headers.get('content-range')]).to.deep.equal([
        status,
        body,
        contentRange,
      ])
    }
    expect((await fetch(`${url}&generation=${generation}`)).status).to.equal(200)
    expect((await fetch(`${url}&generation=1`)).status).to.equal(404)
  })

  it('lists in the order of bytes, by prefix, delimiter, offset and page', async () => {
    const names = ['a', 'b!/x', 'b-/x', 'b/x', 'b/y', 'b0/x', '\uff5e', '\u{10000}']
    for (const name of [...names].reverse()) await save(bucket.file(name), name)
    const list = async (query: object): Promise<string[]> =>
      (await bucket.getFiles(query))[0].map((file) => file.name)
    expect(await list({})).to.deep.equal(names)
    const paged: string[] = []
    let query: object | null = { maxResults: 3, autoPaginate: false }
    while (query !== null) {
      const [page, next]: [File[], object | null, ...unknown[]] = await bucket.getFiles(query)
      expect(page.length).to.be.within(1, 3)
      paged.push(...page.map((file) => file.name))
      query = next
    }
    expect(paged).to.deep.equal(names)
    expect(await list({ prefix: 'b/' })).to.deep.equal(['b/x', 'b/y'])
    expect(await list({ startOffset: 'b/y' })).to.deep.equal(names.slice(4))
    expect(await list({ endOffset: 'b/y' })).to.deep.equal(names.slice(0, 4))
    const [files, , answer] = await bucket.getFiles({ delimiter: '/', autoPaginate: false })
    expect(files.map((file) => file.name)).to.deep.equal(['a', '\uff5e', '\u{10000}'])
    expect((answer as { prefixes: string[] }).prefixes).to.deep.equal(['b!/', 'b-/', 'b/', 'b0/'])
  })

  it('copies, composes and changes', async () => {
    await bucket.file('x').save('left ', { resumable: false, contentType: 'a/b' })
    await save(bucket.file('y'), 'right')
    await bucket.file('x').copy(bucket.file('z'))
    expect((await bucket.file('z').getMetadata())[0].contentType).to.equal('a/b')
    await bucket.combine(['x', 'y'], bucket.file('both'))
    expect(String((await bucket.file('both').download())[0])).to.equal('left right')
  })

  it('knows nothing of what is not there, and tells a bucket from an object', async () => {
    expect(await refusal(bucket.file('no').getMetadata())).to.deep.equal([404, 'notFound'])
    expect(await refusal(bucket.file('no').delete())).to.deep.equal([404, 'notFound'])
    const media = await fetch(`${server.url}/storage/v1/b/bucket/o/no?alt=media`)
    expect([media.status, await media.text()]).to.deep.equal([404, 'No such object: bucket/no'])
    const other = await fetch(`${server.url}/storage/v1/b/no-bucket/o/no`)
    expect(await other.json()).to.have.nested.property(
      'error.message',
      'The specified bucket does not exist.',
    )
  })

  it('takes no bytes that are not those announced', async () => {
    const described = JSON.stringify({ md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' })
    const body = `--b\r\nContent-Type: application/json\r\n\r\n${described}\r\n--b\r\n\r\nbytes\r\n--b--`
    const upload = `${server.url}/upload/storage/v1/b/bucket/o?uploadType=multipart&name=m`
    const headers = { 'Content-Type': 'multipart/related; boundary=b' }
    expect((await fetch(upload, { method: 'POST', headers, body })).status).to.equal(400)
    const cut = body.slice(0, -5)
    expect((await fetch(upload, { method: 'POST', headers, body: cut })).status).to.equal(400)
    expect(server.store.bucket('bucket').size).to.equal(0)
  })

  it('keeps what came of an upload in units of 256 KiB, tells how much, and forgets what is cancelled', async () => {
    const start = `${server.url}/upload/storage/v1/b/bucket/o?uploadType=resumable&name=u`
    const session = (await fetch(start, { method: 'POST' })).headers.get('location') ?? ''
    const send = async (range: string, bytes: number) => {
      const body = new Uint8Array(bytes)
      const { status, headers } = await fetch(session, {
        method: 'PUT',
        headers: { 'Content-Range': range },
        body,
      })
      return [status, headers.get('range')]
    }
    expect(await send('bytes */*', 0)).to.deep.equal([308, null])
    expect(await send('bytes 0-299999/*', 300_000)).to.deep.equal([308, 'bytes=0-262143'])
    expect(await send('bytes */*', 0)).to.deep.equal([308, 'bytes=0-262143'])
    expect((await fetch(session, { method: 'DELETE' })).status).to.equal(499)
    expect((await send('bytes */*', 0))[0]).to.equal(404)
    expect(server.uploads.open('bucket')).to.deep.equal([])
  })
})
