import { expect } from 'chai'
import { etagIn, readUploadRequest } from '../../../client/files/upload-request.ts'
import { BadAnswerError } from '../../../client/index.ts'

const hub = 'https://hub.example'
const good = {
  method: 'PUT',
  url: 'https://bucket.example/file?X-Amz-Signature=5f1c0e',
  headers: { 'Content-Length': '5', 'Content-Type': 'image/png', 'x-amz-meta-type': 'b' },
  expires: 1_782_864_060,
  etagHeader: 'ETag',
  publicURL: 'https://files.example/file',
}

describe('the request for a direct upload', () => {
  it('is taken as the hub tells it, but for the length, which whoever sends sets', () => {
    expect(readUploadRequest(good, hub)).to.deep.equal({
      url: good.url,
      headers: { 'Content-Type': 'image/png', 'x-amz-meta-type': 'b' },
      expiresMs: 1_782_864_060_000,
      etagHeader: 'ETag',
    })
    expect(
      readUploadRequest({ ...good, url: 'http://127.0.0.1:9000/file' }, 'http://localhost:3000').url,
    ).to.equal('http://127.0.0.1:9000/file')
  })

  for (const [what, changes] of [
    ['something else than PUT', { method: 'DELETE' }],
    ['a file in the clear', { url: 'http://bucket.example/file' }],
    ['a request to no server', { url: 'file:///etc/passwd' }],
    ['a user and a password', { url: 'https://mallory:secret@bucket.example/file' }],
    ['a credential', { headers: { Authorization: 'Bearer 5f1c0e' } }],
    ['a cookie', { headers: { cookie: 'session=5f1c0e' } }],
    ['headers that are no text', { headers: { 'Content-Type': 5 } }],
    [
      'headers without end',
      { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`x-${i}`, ''])) },
    ],
    ['no headers', { headers: null }],
    ['no URL', { url: undefined }],
  ] as const) {
    it(`is not sent where mallory's hub asks for ${what}, and the error does not repeat it`, () => {
      const read = () => readUploadRequest({ ...good, ...changes }, hub)
      expect(read).to.throw(BadAnswerError, /^the hub gave no direct upload that can be sent$/)
    })
  }

  for (const [value, header, etag] of [
    ['"5f1c0e"', 'ETag', '"5f1c0e"'],
    ['5f1c0e', 'ETag', '"5f1c0e"'],
    ['W/"5f1c0e"', 'etag', '"5f1c0e"'],
    ['1700000000000001', 'X-Goog-Generation', '"1700000000000001"'],
    ['', 'ETag', null],
    ['"5f1c0e"', null, null],
  ] as const) {
    it(`is answered with the etag ${etag} by ${header}: ${value}`, () => {
      expect(etagIn(new Headers({ [header ?? 'ETag']: value }), header)).to.equal(etag)
    })
  }
})
