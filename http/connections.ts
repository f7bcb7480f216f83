import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { limitKey } from './peer.ts'

/** The open sockets of a server, and which of them are at work. */
export interface Connections {
  /** Whether bytes of an answer may already stand on the wire, so that no other answer may be written. */
  answerBegun(socket: Socket): boolean
  /** Whether a request of it is under way. */
  isAtWork(socket: Socket): boolean
  /** From now on sockets close as soon as they have nothing to answer; those without work at once. */
  retire(): void
  destroyAll(): void
  /** How many are open. */
  count(): number
}

export interface ConnectionOptions {
  /** 0 for no limit. */
  maxSocketsPerPeer: number
  /** Peers without a limit: a proxy, behind which all clients share one address. */
  isProxy(address: string): boolean
  /** Called with a socket over the limit; it is not read from. */
  refuse(socket: Socket): void
  /** Whether the sockets that requests come by are not those that were accepted but lie within them. */
  isTls: boolean
}

/** Follows every socket and every answer of a server that does not listen yet. */
export function trackConnections(server: Server, options: ConnectionOptions): Connections {
  const answers = new Map<Socket, Set<ServerResponse>>()
  const counts = new PeerCounts(options.maxSocketsPerPeer)
  /** Accepted sockets whose handshake is not over. */
  const handshakes = new Map<string, Socket>()
  let retiring = false

  const follow = (socket: Socket) => {
    answers.set(socket, new Set())
    socket.once('close', () => answers.delete(socket))
  }

  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // Gone before we saw it.
    if (remoteAddress === undefined) return void socket.destroy()
    const peer = limitKey(remoteAddress)
    const allowed = counts.add(peer) || options.isProxy(remoteAddress)
    const name = nameOf(socket)
    if (options.isTls) handshakes.set(name, socket)
    else follow(socket)
    socket.once('close', () => {
      handshakes.delete(name)
      counts.remove(peer)
    })
    if (!allowed) options.refuse(socket)
  })
  server.on('secureConnection', (socket: Socket) => {
    handshakes.delete(nameOf(socket))
    follow(socket)
  })

  server.prependListener('request', (req, res) => {
    const { socket } = req
    const open = answers.get(socket)
    open?.add(res)
    if (retiring) res.setHeader('Connection', 'close')
    res.once('close', () => {
      open?.delete(res)
      if (retiring && open?.size === 0) socket.destroySoon()
    })
  })

  return {
    answerBegun(socket) {
      const open = [...(answers.get(socket) ?? [])]
      // With several pipelined requests open, which of them comes next on the wire is Node's knowledge.
      return open.length > 1 || open.some((res) => res.headersSent)
    },
    isAtWork: (socket) => (answers.get(socket)?.size ?? 0) > 0,
    retire() {
      retiring = true
      for (const socket of handshakes.values()) socket.destroy()
      for (const [socket, open] of answers) {
        if (open.size === 0) socket.destroy()
        for (const res of open) if (!res.headersSent) res.setHeader('Connection', 'close')
      }
    },
    destroyAll() {
      for (const socket of [...handshakes.values(), ...answers.keys()]) socket.destroy()
    },
    count: () => handshakes.size + answers.size,
  }
}

/** The same for a socket and for the one of TLS within it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

class PeerCounts {
  private readonly counts = new Map<string, number>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  /** Counts a socket in; whether it is within the limit. */
  add(peer: string): boolean {
    const count = (this.counts.get(peer) ?? 0) + 1
    this.counts.set(peer, count)
    return this.max === 0 || count <= this.max
  }

  remove(peer: string): void {
    const count = (this.counts.get(peer) ?? 0) - 1
    if (count > 0) this.counts.set(peer, count)
    else this.counts.delete(peer)
  }
}
