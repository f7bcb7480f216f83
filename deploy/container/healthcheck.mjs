// Exits with 0 where the server answers that its storage can be used, and with 1 where it does not within 4 s.
const port = process.env.GAIA_PORT ?? '3000'
const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4000) }).catch(
  () => null,
)
process.exit(answer?.ok === true ? 0 : 1)
