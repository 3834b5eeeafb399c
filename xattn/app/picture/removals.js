// What the removals of a picture do, handed to it when it has come: it may be worked out when the picture stands already.
// Nothing is shown here. The newest is kept, for a picture that is drawn after it.

export default function ({ data }) {
  if (!data) return;
  window.xattnRemovals = data;
  document.dispatchEvent(new Event("xattn-removals"));
}
