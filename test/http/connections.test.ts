import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { trackConnections } from '../../http/connections.ts'

/** Lets sockets in that come from these addresses, one after the other; how many were refused. */
function refusedOf(addresses: readonly string[], maxSocketsPerPeer: number): number {
  const server = new EventEmitter()
  let refused = 0
  trackConnections(server as Server, {
    maxSocketsPerPeer,
    isProxy: (address) => address === '2001:db8:ffff::1',
    isTls: false,
    refuse: () => void refused++,
  })
  for (const [i, remoteAddress] of addresses.entries()) {
    const socket = Object.assign(new EventEmitter(), { remoteAddress, remotePort: 1000 + i })
    server.emit('connection', socket as unknown as Socket)
  }
  return refused
}

describe('the sockets of one peer', () => {
  const rows: { name: string; from: string[]; refused: number }[] = [
    { name: 'one IPv4 address', from: ['192.0.2.1', '192.0.2.1', '192.0.2.1'], refused: 1 },
    { name: 'three IPv4 addresses', from: ['192.0.2.1', '192.0.2.2', '192.0.2.3'], refused: 0 },
    {
      name: 'three IPv4 addresses, as a socket for IPv6 tells them',
      from: ['::ffff:192.0.2.1', '::ffff:192.0.2.2', '::ffff:192.0.2.3'],
      refused: 0,
    },
    {
      name: 'mallory, who has a whole network of IPv6',
      from: ['2001:db8::1', '2001:db8::2', '2001:db8::3:4'],
      refused: 1,
    },
    {
      name: 'three networks of IPv6',
      from: ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:3::1'],
      refused: 0,
    },
    { name: 'a proxy', from: Array<string>(3).fill('2001:db8:ffff::1'), refused: 0 },
  ]
  for (const { name, from, refused } of rows) {
    it(`of which two are allowed: ${name}, ${refused} refused`, () => {
      expect(refusedOf(from, 2)).to.equal(refused)
    })
  }
})
