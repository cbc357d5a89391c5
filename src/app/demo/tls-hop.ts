/** One hop of the demo as its two ends negotiated it. */
export interface TlsHop {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly group: string;
  readonly cipher: string;
  /** Both ends showed a certificate that the other one checked. */
  readonly mutual: boolean;
}
