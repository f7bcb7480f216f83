import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import { isIpRange, limitKey, peers } from '../../http/peer.ts'

function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

describe('whom a request comes from', () => {
  const proxies = ['10.0.0.0/8', '2001:db8::1']
  const rows: { name: string; from: string; forwarded?: string; expect: string }[] = [
    { name: 'a client without a proxy', from: '192.0.2.1', expect: '192.0.2.1' },
    {
      name: 'mallory, who writes the header herself',
      from: '192.0.2.1',
      forwarded: '198.51.100.7',
      expect: '192.0.2.1',
    },
    { name: 'a client behind a proxy', from: '10.0.0.1', forwarded: '192.0.2.1', expect: '192.0.2.1' },
    {
      name: 'mallory, who names another before the proxy names her',
      from: '10.0.0.1',
      forwarded: '198.51.100.7, 192.0.2.1',
      expect: '192.0.2.1',
    },
    {
      name: 'a client behind two proxies',
      from: '10.0.0.1',
      forwarded: '192.0.2.1,10.1.1.1',
      expect: '192.0.2.1',
    },
    { name: 'a proxy that names nobody', from: '10.0.0.1', expect: '10.0.0.1' },
    {
      name: 'a proxy that names no address',
      from: '10.0.0.1',
      forwarded: '192.0.2.1, unknown',
      expect: '10.0.0.1',
    },
    {
      name: 'a client whose port the proxy names too',
      from: '10.0.0.1',
      forwarded: '198.51.100.7, 192.0.2.1:54321',
      expect: '192.0.2.1',
    },
    {
      name: 'a client with an IPv6 address and a port',
      from: '10.0.0.1',
      forwarded: '[2001:db8::5]:54321',
      expect: '2001:db8::5',
    },
    { name: 'nothing but proxies', from: '10.0.0.1', forwarded: '10.0.0.3, 10.0.0.2', expect: '10.0.0.3' },
    {
      name: 'a proxy seen through IPv6',
      from: '::ffff:10.0.0.1',
      forwarded: '::ffff:192.0.2.1',
      expect: '192.0.2.1',
    },
    {
      name: 'a proxy seen through IPv6 in hexadecimal',
      from: '::ffff:0a00:0001',
      forwarded: '::ffff:c000:0201',
      expect: '192.0.2.1',
    },
    {
      name: 'a proxy with an IPv6 address',
      from: '2001:db8::1',
      forwarded: '2001:db8::5',
      expect: '2001:db8::5',
    },
  ]
  for (const row of rows) {
    it(`${row.name}: ${row.expect}`, () => {
      expect(peers(proxies).of(request(row.from, row.forwarded))).to.equal(row.expect)
    })
  }

  it('is the address of the connection where no proxy is named', () => {
    expect(peers([]).of(request('10.0.0.1', '192.0.2.1'))).to.equal('10.0.0.1')
  })

  it('looks at no more than the last 32 of a long header', () => {
    const forwarded = ['192.0.2.1', ...Array<string>(40).fill('10.0.0.2')].join(', ')
    expect(peers(proxies).of(request('10.0.0.1', forwarded))).to.equal('10.0.0.2')
  })
})

describe('what a limit counts by', () => {
  for (const [address, key] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['2001:0db8:0001:2::1', '2001:db8:1:2'],
    ['2001:DB8:1:2:0:0:0:1', '2001:db8:1:2'],
    ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2'],
    ['::', '0:0:0:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['::ffff:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:c000:201', '192.0.2.1'],
    ['::fffe:c000:201', '0:0:0:0'],
    ['', ''],
  ] as const) {
    it(`${address}: ${key}`, () => {
      expect(limitKey(address)).to.equal(key)
    })
  }
})

describe('ranges of addresses', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32', '0.0.0.0/0']) {
    it(`takes ${text}`, () => {
      expect(isIpRange(text)).to.equal(true)
    })
  }
  for (const text of [
    '',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::1/129',
    '10.0.0.0/-1',
  ]) {
    it(`does not take "${text}"`, () => {
      expect(isIpRange(text)).to.equal(false)
    })
  }
})
