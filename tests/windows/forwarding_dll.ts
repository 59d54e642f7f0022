/** Sizes and places in the file and in memory, in bytes. */
const PE_HEADER = 0x40;
const COFF_HEADER = PE_HEADER + 4;
const OPTIONAL_HEADER = COFF_HEADER + 20;
const OPTIONAL_HEADER_SIZE = 240;
const SECTION_HEADER = OPTIONAL_HEADER + OPTIONAL_HEADER_SIZE;
const SECTION = 0x200;
const SECTION_SIZE = 0x200;
const SECTION_ADDRESS = 0x1000;

/** What the only section holds, from its start: the export directory, its three tables, its texts. */
const ADDRESSES = 0x30;
const NAMES = 0x38;
const ORDINALS = 0x40;
const DLL_NAME = 0x60;
const EXPORT_NAME = 0x90;
const TARGET = 0xc0;

/**
 * Builds a Windows DLL for x86-64 with one export, which is forwarded to another DLL's.
 *
 * The layout is that of Microsoft's "PE Format": headers, and one section `.edata`.
 *
 * @param target The other DLL and its export: `advapi32.SystemFunction036`.
 */
export function forwardingDll(dll: string, name: string, target: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SECTION + SECTION_SIZE);
  const view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  const text = (at: number, value: string) => bytes.set(encoder.encode(value), at);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const u64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);

  text(0, "MZ");
  u32(0x3c, PE_HEADER);
  text(PE_HEADER, "PE");

  u16(COFF_HEADER, 0x8664); // machine: x86-64
  u16(COFF_HEADER + 2, 1); // sections
  u16(COFF_HEADER + 16, OPTIONAL_HEADER_SIZE);
  u16(COFF_HEADER + 18, 0x2022); // executable image, large addresses, DLL

  u16(OPTIONAL_HEADER, 0x20b); // PE32+
  u64(OPTIONAL_HEADER + 24, 0x6f55_0000_000n); // image base
  u32(OPTIONAL_HEADER + 32, SECTION_ADDRESS); // alignment in memory
  u32(OPTIONAL_HEADER + 36, SECTION); // alignment in the file
  u16(OPTIONAL_HEADER + 40, 6); // version of the system, and of the subsystem
  u16(OPTIONAL_HEADER + 48, 6);
  u32(OPTIONAL_HEADER + 56, 2 * SECTION_ADDRESS); // size of the image
  u32(OPTIONAL_HEADER + 60, SECTION); // size of the headers
  u16(OPTIONAL_HEADER + 68, 3); // subsystem: console
  u16(OPTIONAL_HEADER + 70, 0x100); // compatible with data execution prevention
  u64(OPTIONAL_HEADER + 72, 0x10_0000n); // stack reserved, stack committed, heap reserved, committed
  u64(OPTIONAL_HEADER + 80, 0x1000n);
  u64(OPTIONAL_HEADER + 88, 0x10_0000n);
  u64(OPTIONAL_HEADER + 96, 0x1000n);
  u32(OPTIONAL_HEADER + 108, 16); // data directories, the first of which is the export directory
  u32(OPTIONAL_HEADER + 112, SECTION_ADDRESS);
  u32(OPTIONAL_HEADER + 116, SECTION_SIZE);

  text(SECTION_HEADER, ".edata");
  u32(SECTION_HEADER + 8, SECTION_SIZE);
  u32(SECTION_HEADER + 12, SECTION_ADDRESS);
  u32(SECTION_HEADER + 16, SECTION_SIZE);
  u32(SECTION_HEADER + 20, SECTION);
  u32(SECTION_HEADER + 36, 0x4000_0040); // readable, initialized data

  u32(SECTION + 12, SECTION_ADDRESS + DLL_NAME);
  u32(SECTION + 16, 1); // first ordinal, number of addresses, number of names
  u32(SECTION + 20, 1);
  u32(SECTION + 24, 1);
  u32(SECTION + 28, SECTION_ADDRESS + ADDRESSES);
  u32(SECTION + 32, SECTION_ADDRESS + NAMES);
  u32(SECTION + 36, SECTION_ADDRESS + ORDINALS);
  u32(SECTION + ADDRESSES, SECTION_ADDRESS + TARGET); // an address within the directory forwards
  u32(SECTION + NAMES, SECTION_ADDRESS + EXPORT_NAME);
  text(SECTION + DLL_NAME, dll);
  text(SECTION + EXPORT_NAME, name);
  text(SECTION + TARGET, target);
  return bytes;
}
