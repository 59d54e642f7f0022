import { assertEquals } from "@std/assert";
import { run } from "./process.ts";

/** Certificates in a folder of their own: `NAME.pem` and `NAME.key`, signed by `ca.pem`. */
export class Certificates implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Certificates> {
    const folder = await Deno.makeTempDir();
    const made = new Certificates(folder);
    await Deno.writeTextFile(
      `${folder}/ca.cnf`,
      "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n" +
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n",
    );
    await Deno.writeTextFile(`${folder}/index.txt`, "");
    await Deno.writeTextFile(`${folder}/serial`, "01\n");
    await made.#openssl(
      ...["req", "-x509", ...made.#key("ca"), "-out", "ca.pem", "-days", "3650"],
      ...["-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE"],
      ...["-addext", "keyUsage=critical,keyCertSign"],
    );
    return made;
  }

  /** Makes a certificate. @param days From when to when it is valid, counted from today. */
  async add(name: string, names: string, [from, to]: readonly [number, number]): Promise<void> {
    const date = (days: number): string =>
      new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
    await Deno.writeTextFile(
      `${this.folder}/${name}.ext`,
      `subjectAltName=${names}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
    );
    await this.#openssl(
      ...["req", ...this.#key(name), "-out", `${name}.csr`, "-subj", `/CN=${name}`],
    );
    await this.#openssl(
      ...["ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-notext"],
      ...["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`],
      ...["-startdate", date(from), "-enddate", date(to)],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  #key(name: string): readonly string[] {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    return [...key, "-keyout", `${name}.key`];
  }

  async #openssl(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await run(["openssl", ...args], { cwd: this.folder });
    assertEquals(code, 0, stderr);
  }
}
