/** Masks what varies between runs or hosts: times, ephemeral ports, other addresses. */
export function masked(text: string): string {
  return text
    .replaceAll(/("\w+Ms":)[\d.]+/g, "$10")
    .replaceAll(/[\d.]+ ms\b/g, "0 ms")
    .replaceAll(/(\(seed \d+), [\d.]+ s\)/g, "$1, 0 s)")
    .replaceAll(/\b(resolve|connect) [\d.]+(?= {2})/g, "$1 0")
    .replaceAll(/127\.0\.0\.1:\d{5}\b/g, "127.0.0.1:PPPPP")
    .replaceAll(/^ *\d+\.\d{3} +(?:\d+\.\d{3} +)?(?=\w+-client)/gm, "")
    .replaceAll(/(Datagram received from [\d.]+):\w+/g, "$1:0")
    .replaceAll(/^This host is called .*\.$/gm, "This host is called vm.")
    .replaceAll(/^localhost stands for \d address(?:es)?/gm, "localhost stands for 1 address")
    .replaceAll(/^(?!.*127\.0\.0\.1)\S+ +\S+ +IPv[46] .*\n/gm, "")
    .replaceAll(/^::1 +IPv6 .*\n/gm, "")
    .replaceAll(/^\S+ is called .*\n/gm, "")
    .replaceAll(/\) +(?=ok$)/gm, ")  ")
    .replaceAll(/ {2,}/g, "  ")
    .replaceAll(/^lo\d* +/gm, "lo  ")
    .trimEnd();
}
