/** A document that figures come from. */
export interface FigureSource {
  readonly title: string;
  readonly address?: string;
  /** Month in which the figures taken from it were compared with it; absent: taken from memory of it, not re-checked. */
  readonly comparedIn?: string;
}

/** Every document that the table of known devices refers to. */
export const figureSources = {
  'nvidia-turing': {
    title: 'NVIDIA Turing GPU Architecture, whitepaper WP-09183-001 (2018), and datasheets of the models',
  },
  'tesla-t4': {
    title: 'Comparison page of the Tesla T4: 40 multiprocessors, 1590 MHz, 256 bits at 10 Gb/s',
    address: 'https://sysrqmts.com/pt/gpus/compare/nvidia-grid-rtx-t10-8-vs-nvidia-tesla-t4',
    comparedIn: '2026-11',
  },
  'nvidia-ga102': {
    title: 'NVIDIA Ampere GA102 GPU Architecture, whitepaper V2.0 (2020), and datasheets of the models',
  },
  'nvidia-a40': {
    title: 'NVIDIA A40, datasheet as reprinted by a reseller: 299.3 TOPS, 149.7 TFLOPS, 696 GB/s',
    address:
      'https://www.ecer.com/corp/details-uuuedqa-p1bsay9-multi-display-setups-supported-by-48gb-gddr6-ecc-memory-nvidia-a40-gpu-and-vga-outputs.html',
    comparedIn: '2026-11',
  },
  'a100-rates': {
    title: 'G. Lockwood, A100, after the datasheet: 624 TOPS int8, 312 TFLOPS bf16, dense',
    address: 'https://glennklockwood.com/garden/processors/A100',
    comparedIn: '2026-11',
  },
  'a100-memory': {
    title: 'Thunder Compute, NVIDIA A100 specifications: 1410 MHz, 5120 bits, 1555, 1935 and 2039 GB/s',
    address: 'https://www.thundercompute.com/blog/nvidia-a100-specs-full-guide',
    comparedIn: '2026-11',
  },
  'nvidia-ampere-servers': { title: 'NVIDIA A2, A10, A10G, A30, datasheets (2021 and 2022)' },
  'nvidia-ada': { title: 'NVIDIA Ada GPU Architecture, whitepaper V2.01 (2023), and datasheets of the models' },
  'rtx-4090': {
    title: 'waredb, NVIDIA GeForce RTX 4090: 660.60 TOPS int8, 165.15 TFLOPS bf16, 1008 GB/s',
    address: 'https://waredb.com/processor/nvidia-geforce-rtx-4090',
    comparedIn: '2026-11',
  },
  'l40-l40s': {
    title: 'NVIDIA L40 and L40S, specifications as reprinted by a reseller; dense and sparse side by side',
    address: 'https://www.mullet.se/product.html?product_id=355414',
    comparedIn: '2026-11',
  },
  'l40s-rates': {
    title: 'hmc-tech, NVIDIA L40S: 732.86 TOPS int8, 366.43 TFLOPS bf16, dense',
    address: 'https://hmc-tech.com/gpu/nvidia-l40s-vs-nvidia-t40',
    comparedIn: '2026-11',
  },
  'nvidia-l4': {
    title: 'Grokipedia, NVIDIA L4 vs L40S: L4 485 TOPS int8 and 242 TFLOPS 16-bit with sparsity, 300 GB/s',
    address: 'https://grokipedia.com/page/NVIDIA_L4_vs_L40S',
    comparedIn: '2026-11',
  },
  'h100-rates': {
    title:
      'G. Lockwood, H100: 132 multiprocessors, 1.83 GHz, 1978.9 TOPS int8, 989.4 TFLOPS bf16, 3.35 TB/s, all dense',
    address: 'https://glennklockwood.com/garden/processors/h100',
    comparedIn: '2026-11',
  },
  'nvidia-hopper': { title: 'NVIDIA H100, H200 and GH200, datasheets (2023 and 2024)' },
  'h100-pcie': {
    title: 'hmc-tech, NVIDIA H100 (PCIe): 3.03 POPS int8 with sparsity',
    address: 'https://hmc-tech.com/gpu/nvidia-h100-vs-nvidia-h200-sxm-vs-nvidia-gb200',
    comparedIn: '2026-11',
  },
  'h200-nvl': {
    title:
      'Morph, NVIDIA H200, after the product page: SXM and NVL with sparsity (of NVL, FP8, which runs at the rate of int8), 4.8 TB/s',
    address: 'https://www.morphllm.com/nvidia-h200',
    comparedIn: '2026-11',
  },
  'h200-b300': {
    title: 'NVIDIA H200 vs B300 (2026-06-22): H200 141 GB, 4.8 TB/s, 989 TFLOPS bf16 dense',
    address: 'https://itkb.uw.cz/2026/06/nvidia-h200-vs-b300-precisions-cores.html',
    comparedIn: '2026-11',
  },
  'nvidia-rtx-blackwell': {
    title: 'NVIDIA RTX Blackwell GPU Architecture, whitepaper (2025), and datasheets of the models',
  },
  'b200-b300': {
    title: 'DataCrunch, NVIDIA B300 vs B200, after the Blackwell Architecture Technical Brief, table 3; all dense',
    address: 'https://datacrunch.io/blog/nvidia-b300-vs-b200-complete-gpu-comparison-to-date',
    comparedIn: '2026-11',
  },
  'b200-rates': {
    title: 'G. Lockwood, B200: dense and sparse rates of the HGX and GB200 variants',
    address: 'https://glennklockwood.com/garden/processors/B200',
    comparedIn: '2026-11',
  },
  'nvidia-blackwell': { title: 'NVIDIA Blackwell Architecture Technical Brief (2024)' },
  'amd-rdna2': { title: 'AMD RDNA 2 instruction set reference (2020), and product pages of the models' },
  'amd-rdna3': { title: 'AMD RDNA 3 instruction set reference (2023), and product pages of the models' },
  'amd-rdna4': { title: 'AMD Radeon RX 9000 series, product pages (2025)' },
  'rx-9070-xt': {
    title: 'PurePC, Radeon RX 9070 XT and RX 9070 (2025-02): 64 compute units, 2970 MHz, 779 TOPS int8 with sparsity',
    address:
      'https://www.purepc.pl/amd-radeon-rx-9070-xt-oraz-radeon-rx-9070-specyfikacja-cena-i-wydajnosc-kart-graficznych-rdna-4',
    comparedIn: '2026-11',
  },
  'rx-9070-memory': {
    title: 'Multiplayer.it, Radeon RX 9070 XT and RX 9070: 256 bits at 20 Gb/s, 640 GB/s',
    address: 'https://multiplayer.it/notizie/amd-radeon-rx-9070-xt-rx-9070-specifiche.html',
    comparedIn: '2026-11',
  },
  'rx-7900-memory': {
    title: 'cputronic, RX 9070 XT vs RX 7900 XTX: 384 bits, 960 GB/s',
    address: 'https://cputronic.com/gpu/compare/amd-radeon-rx-9070-xt-vs-amd-radeon-rx-7900-xtx',
    comparedIn: '2026-11',
  },
  'rx-7900-xtx': {
    title: 'hmc-tech, RX 9070 XT vs RX 7900 XTX: 122.88 TFLOPS fp16, 245.76 TOPS int4 (int8 runs at half of int4)',
    address: 'https://hmc-tech.com/gpu/amd-radeon-rx-9070-xt-vs-amd-radeon-rx-7900-xtx',
    comparedIn: '2026-11',
  },
  'amd-instinct': { title: 'AMD Instinct accelerators, datasheets of the models (2020 to 2025)' },
  mi300x: {
    title: 'codesota, MI300X: 192 GB, 5300 GB/s',
    address: 'https://www.codesota.com/hardware/mi300x',
    comparedIn: '2026-11',
  },
  'mi350-rates': {
    title:
      'World Today News, AMD at ISSCC 2026: 32 compute units in each of 8 dies, 8192 operations per clock in FP8 (and int8); clocks of 2.2 and 2.4 GHz: Wccftech, AMD at Hot Chips 2025',
    address: 'https://www.world-today-news.com/?p=7253162',
    comparedIn: '2026-11',
  },
  'mi350-memory': {
    title: 'Boston, AMD Instinct MI355X (2025-08-14): 8 dies, 288 GB, 8 TB/s',
    address: 'https://boston-uk-l.azurewebsites.net/blog/2025/08/14/amd-instinct-mi355x.aspx',
    comparedIn: '2026-11',
  },
  'intel-arc-a': {
    title: '3DCenter, Intel gives the specifications of Arc A580, A750 and A770 (2022-09): Xe-cores, clocks, bandwidth',
    address: 'http://www.3dcenter.org/news/intel-gibt-die-spezifikationen-von-arc-a580-a750-und-a770-bekannt',
    comparedIn: '2026-11',
  },
  'intel-arc-a380': {
    title: 'Svět hardware, specifications of Intel Arc (2022-09): A380 with 8 Xe-cores, 2000 MHz, 186 GB/s',
    address: 'https://www.svethardware.cz/intel-zverejnil-oficialni-specifikace-grafickych-karet-arc/58344',
    comparedIn: '2026-11',
  },
  'intel-arc': { title: 'Intel product specifications (ARK) of Arc A and B series' },
  'intel-b570': {
    title: 'fpsbench, Intel Arc B570: 18 Xe-cores, 160 bits at 19 Gb/s, 380 GB/s',
    address: 'https://fpsbench.com/compare/gpu/intel-arc-b570-vs-intel-iris-xe-max-graphics',
    comparedIn: '2026-11',
  },
  'intel-max': {
    title:
      'G. Lockwood, Intel Data Center GPU Max 1550: 128 Xe-cores, 8 engines of 4096 bits each, 1.6 GHz, 3276.8 GB/s',
    address: 'https://glennklockwood.com/garden/processors/pvc',
    comparedIn: '2026-11',
  },
  'apple-newsroom': {
    title: 'Apple, press releases and technical specifications of the Macs with each chip (2020 to 2025)',
  },
  'apple-m4': {
    title: 'Apple M4, M4 Pro and M4 Max compared to past generations (2024-10): memory bandwidth of M2 to M4',
    address: 'https://goodnewsapodcast.com/apples-m4-m4-pro-and-m4-max-compared-to-past-generations-and-to-each-other',
    comparedIn: '2026-11',
  },
  'apple-flops': {
    title: 'huggingface.js, packages/tasks/src/hardware.ts: teraflops of Apple M1 and M2',
    address: 'https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/hardware.ts',
    comparedIn: '2026-11',
  },
} as const satisfies Record<string, FigureSource>;

export type SourceId = keyof typeof figureSources;

/** A source as one line: title, address, and whether the figures were compared with it. */
export function describeSource(id: SourceId): string {
  const { title, address, comparedIn }: FigureSource = figureSources[id];
  const where = address === undefined ? '' : ` <${address}>`;
  return `${title}${where}${comparedIn === undefined ? ', not re-checked' : `, compared ${comparedIn}`}`;
}
