/** What the examples need to know of a hub before they sign anything. */
export interface HubInfo {
  challenge_text: string
  read_url_prefix: string
  hub_did: string
}

/** @param hubUrl without a slash at its end */
export async function askHub(hubUrl: string): Promise<HubInfo> {
  const response = await fetch(`${hubUrl}/hub_info`)
  if (!response.ok) throw new Error(`${hubUrl}/hub_info answered ${response.status}`)
  return (await response.json()) as HubInfo
}
