import puppeteer, { type Browser, type Page } from "puppeteer-core";
import type { Need } from "./needs.ts";

/** Where Debian, Fedora, Arch and macOS install it, or Windows. */
const paths = Deno.build.os === "windows"
  ? ["C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"]
  : [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];

const path = paths.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Chromium, or a browser based on it. */
export const chromium: Need = { missing: "no Chromium", isMet: () => path !== undefined };

/** Starts a headless browser without background traffic. It ends with its scope. */
export async function openBrowser(): Promise<AsyncDisposable & { readonly browser: Browser }> {
  const userDataDir = await Deno.makeTempDir({ prefix: "netdemo-browser-" });
  const browser = await puppeteer.launch({
    executablePath: path ?? "",
    userDataDir,
    headless: true,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-sync", "--disable-component-update"],
      ...["--disable-background-networking", "--disable-dev-shm-usage", "--no-first-run"],
    ],
  });
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await Deno.remove(userDataDir, { recursive: true });
    },
  };
}

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly height: number;
  /** @default {"light"} */
  readonly scheme?: "light" | "dark";
}

/** A tab of the browser. */
export async function openTab(browser: Browser, look: Look): Promise<Page> {
  const tab = await browser.newPage();
  const { width, height, scheme = "light" } = look;
  await tab.setViewport({ width, height });
  await tab.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  return tab;
}
