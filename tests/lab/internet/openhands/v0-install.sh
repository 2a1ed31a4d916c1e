#!/bin/sh
# In the base system: the guide's OpenHands (generation V0) under /opt/oh, without the bulk that its server never loads
# (browser, notebooks, plots, speech, data of clouds, most languages' parsers): hosts pull and unpack it in every test.
set -eu
/tmp/uv venv -q -p /usr/bin/python3 /opt/oh
# Later dependencies break it at import.
/tmp/uv pip install -q -p /opt/oh/bin/python --exclude-newer 2025-11-20 openhands-ai==0.62.0

cd "$(echo /opt/oh/lib/python3*/site-packages)"
rm -rf playwright/driver vertexai google/cloud/aiplatform* googleapiclient/discovery_cache/documents \
    speech_recognition/pocketsphinx-data matplotlib fontTools mpl_toolkits kiwisolver* reportlab shapely shapely.libs \
    jedi parso IPython ipykernel jupyter* nbformat nbconvert notebook* widgetsnbextension ipywidgets debugpy \
    zmq pyzmq.libs nbclient kernel_gateway qtconsole qtpy poetry virtualenv dulwich docutils asyncpg hf_xet \
    zstandard/_cffi* litellm/proxy/_experimental/out litellm/proxy/swagger
find tree_sitter_language_pack/bindings -size +300k -delete
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name 'bedrock*' ! -name s3 ! -name sts -exec rm -rf {} +
find . -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.pxd' -o -name '*.pyx' \
    -o -name '*.c' -o -name '*.md' \) -delete
