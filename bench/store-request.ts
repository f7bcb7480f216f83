const body = 'x'.repeat(1024)

/** The text of a store of 1 KiB. */
export function storeRequest(address: string, path: string, token: string): string {
  const lines = [
    `POST /store/${address}/${path} HTTP/1.1`,
    'Host: bench.example',
    `Authorization: bearer ${token}`,
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]
  return lines.join('\r\n')
}
