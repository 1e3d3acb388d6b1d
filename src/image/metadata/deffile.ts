/** The definition file that `inspect --deffile` shows: where the image came from. */

/** @param reference The image's reference without a scheme. */
export function deffileText(reference: string): string {
  return `bootstrap: docker\nfrom: ${reference}\n`
}
