import { expect } from 'chai'
import { formatHttpDate, parseHttpDate } from '../../reader/http-date.ts'

const second = 784_111_777

describe('dates in headers', () => {
  const zone = process.env.TZ
  before(() => {
    process.env.TZ = 'Asia/Tokyo'
  })
  after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  // The examples of RFC 9110 section 5.6.7: one instant, wherever the server stands.
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ]) {
    it(`are read: ${text}`, () => {
      expect(parseHttpDate(text)).to.equal(second)
    })
  }

  for (const text of [
    '',
    '0',
    '1994',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0900',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    'Sun, 06 Xxx 1994 08:49:37 GMT',
    '"Sun, 06 Nov 1994 08:49:37 GMT"',
  ]) {
    it(`are not: ${JSON.stringify(text)}`, () => {
      expect(parseHttpDate(text)).to.equal(null)
    })
  }

  it('are written in whole seconds', () => {
    expect(formatHttpDate(second * 1000 + 999)).to.equal('Sun, 06 Nov 1994 08:49:37 GMT')
  })
})
