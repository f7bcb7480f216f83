import { Agent as HttpAgent, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Socket } from 'node:net'
import type { RequestPolicyFactory } from '@azure/storage-blob'

export interface SocketOptions {
  /** How many connections there may be at once; further requests wait for one. */
  readonly maxSockets: number
  /** How long a connection may take to be made. Milliseconds. */
  readonly connectTimeoutMs: number
  /** How long a connection may say nothing in either direction. Milliseconds. */
  readonly timeoutMs: number
}

/** The connections of one driver. */
export interface Sockets {
  /** Makes the SDK use them, where no proxy is in between. */
  readonly policy: RequestPolicyFactory
  /** Ends those in use too. */
  close(): void
}

/** The SDK's own agents are shared by all clients of a process, without a bound and without time-outs. */
export function openSockets(isSecure: boolean, options: SocketOptions): Sockets {
  const settings = { keepAlive: true, maxSockets: options.maxSockets, timeout: options.timeoutMs }
  const agent = watchSockets(isSecure ? new HttpsAgent(settings) : new HttpAgent(settings), options)
  return {
    policy: {
      create: (next) => ({
        async sendRequest(request) {
          request.agent ??= agent
          const answer = await next.sendRequest(request)
          // Who reads a download slowly is no silent service; its body has a watch of its own. The agent winds the
          // socket's clock again when it gets it back.
          if (answer.readableStreamBody instanceof IncomingMessage)
            answer.readableStreamBody.socket.setTimeout(0)
          return answer
        },
      }),
    },
    close: () => agent.destroy(),
  }
}

function watchSockets<A extends HttpAgent>(agent: A, options: SocketOptions): A {
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (to, callback) => {
    const socket = connect(to, callback)
    if (socket instanceof Socket) watch(socket, options)
    return socket
  }
  return agent
}

/** Node only tells of silence; ending the connection is up to whoever listens. */
function watch(socket: Socket, { connectTimeoutMs, timeoutMs }: SocketOptions): void {
  const end = (): void => {
    socket.destroy(Object.assign(new Error('the connection timed out'), { code: 'ETIMEDOUT' }))
  }
  const connecting = setTimeout(end, connectTimeoutMs)
  const stop = (): void => clearTimeout(connecting)
  socket.once('connect', stop).once('close', stop)
  socket.setTimeout(timeoutMs)
  socket.on('timeout', end)
}
