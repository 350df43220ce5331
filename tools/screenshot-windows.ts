import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { shoot, type Theme } from "./screenshot-camera.ts";
import { folder } from "./screenshot-computer.ts";

async function openWindow(page: Page, link: "Terminal" | "Desktop"): Promise<Page> {
  const [opened] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: link }).click(),
  ]);
  await opened.getByRole("status").filter({ hasText: "SIM00025" }).waitFor();
  return opened;
}

async function shootTerminal(page: Page, theme: Theme): Promise<void> {
  const terminal = await openWindow(page, "Terminal");
  await terminal.locator(".xterm-helper-textarea").focus();
  for (const line of [`cd ${folder}`, "ls -l", "cat today.txt", "df -h .", "free -h", "uptime"]) {
    await delay(500);
    await terminal.keyboard.type(`${line}\n`);
  }
  await terminal.getByText("load average").first().waitFor();
  await shoot(terminal, "terminal", theme);
  await terminal.close();
}

async function shootDesktop(page: Page, theme: Theme): Promise<void> {
  const desktop = await openWindow(page, "Desktop");
  await desktop.locator("#remote canvas").waitFor();
  await delay(2500);
  await shoot(desktop, "desktop", theme);
  await desktop.close();
}

/** A computer with a real agent: its files, and the windows of its terminal and its desktop. */
export async function shootWindows(page: Page, url: string, theme: Theme): Promise<void> {
  await page.goto(`${url}/files`);
  await page.getByRole("button", { name: "Open the files" }).click();
  await page.getByRole("textbox", { name: "Folder" }).fill(folder);
  await page.getByRole("button", { name: "Go", exact: true }).click();
  await page.getByRole("button", { name: "today.txt" }).waitFor();
  await shoot(page, "computer-files-open", theme);
  await shootTerminal(page, theme);
  await shootDesktop(page, theme);
}
