import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Tells whom a request comes from. */
export interface Peers {
  /** Whether an address is that of a proxy of ours, whose word on where a request comes from is taken. */
  isProxy: (address: string) => boolean
  /**
   * The address of the client: that of the connection, or, where this is a proxy's, the last one in
   * `X-Forwarded-For` that is no proxy's. What stands before that may be anybody's invention.
   */
  of(req: IncomingMessage): string
}

/** The most entries of an `X-Forwarded-For` that are looked at, from its end. */
const maxHops = 32

/** @param proxies IP addresses and ranges, `10.0.0.0/8` for instance */
export function peers(proxies: readonly string[]): Peers {
  const list = proxyList(proxies)
  const isProxy = (address: string) => proxies.length > 0 && list.check(address, family(address))
  return {
    isProxy: (address) => isProxy(plain(address)),
    of(req) {
      const direct = plain(req.socket.remoteAddress ?? '')
      if (!isProxy(direct)) return direct
      return forwardedFor(req, isProxy) ?? direct
    },
  }
}

/** Whether a text is an IP address or a range of them. */
export function isIpRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  if (bits === undefined) return true
  return /^[0-9]{1,3}$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32)
}

/**
 * What a limit counts by: an IPv4 address, or the /64 of an IPv6 address, since whoever has one address of such a
 * network has all 2^64 (RFC 6177 section 2).
 */
export function limitKey(address: string): string {
  const peer = plain(address)
  if (!isIPv6(peer)) return peer
  return groupsOf(peer)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')
}

/** The eight groups of an IPv6 address in whatever form it is written, without its zone. */
function groupsOf(address: string): number[] {
  const [text = ''] = address.split('%', 1)
  const [first = [], last = []] = text.split('::').map(partOf)
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

function partOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16)
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function proxyList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    if (bits === undefined) list.addAddress(address, family(address))
    else list.addSubnet(address, Number(bits), family(address))
  }
  return list
}

function forwardedFor(req: IncomingMessage, isProxy: (address: string) => boolean): string | null {
  const header = req.headers['x-forwarded-for']
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').slice(-maxHops)
  let nearest: string | null = null
  for (const hop of hops.reverse()) {
    const address = plain(withoutPort(hop.trim()))
    if (isIP(address) === 0) return nearest
    nearest = address
    if (!isProxy(address)) return nearest
  }
  return nearest
}

/** Azure's front ends, and the load balancers of AWS where they are told to, name the client's port too. */
function withoutPort(hop: string): string {
  const [, v6, v4] = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|([0-9.]+):\d+)$/i.exec(hop) ?? []
  return v6 ?? v4 ?? hop
}

/** Node tells the IPv4 peers of a socket that listens on `::` in IPv6's clothes, and some proxies do too. */
function plain(address: string): string {
  if (!isIPv6(address)) return address
  const [last = 0, first = 0, ...front] = groupsOf(address).reverse()
  const isMapped = front[0] === 0xffff && front.slice(1).every((group) => group === 0)
  return isMapped ? [first >> 8, first & 0xff, last >> 8, last & 0xff].join('.') : address
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
