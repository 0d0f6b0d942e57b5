export const metadata = { title: "Strandline and Next.js" };

export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
