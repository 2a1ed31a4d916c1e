# nvidia-smi of a GPU without memory of its own. Name, driver and `[N/A]` are what marimo-team/marimo#6822 shows of a DGX
# Spark, in the columns that the probe asks for; its identifier is made up. There is no GPU here.
cat > /usr/local/bin/nvidia-smi <<'.'
#!/bin/sh
echo '0, NVIDIA GB10, GPU-0d7a4e6b-52c1-4f3a-b1de-08f9c6a7e2cc, 580.95.05, [N/A], [N/A]'
.
chmod 755 /usr/local/bin/nvidia-smi
