const body = 'x'.repeat(1024)

/**
 * The text of a store of 1 KiB.
 * @param proofs the `ucans` header, where proofs are not within the token
 */
export function storeRequest(address: string, path: string, token: string, proofs?: string): string {
  const lines = [
    `POST /store/${address}/${path} HTTP/1.1`,
    'Host: bench.example',
    `Authorization: bearer ${token}`,
    ...(proofs === undefined ? [] : [`ucans: ${proofs}`]),
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]
  return lines.join('\r\n')
}
