# One image for every process of the platform; the command says which: `python -m user_service`.
# Builds with any base that has Python 3.11 or newer with venv: --build-arg BASE_IMAGE=…
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN python -m venv /opt/build && python -m venv --without-pip /opt/platform
# First what changes seldom: these layers stay as they are while only our own code changes.
COPY requirements.lock deploy/image/requirements_of.py ./
RUN python requirements_of.py requirements.lock hatchling > build.txt \
 && python requirements_of.py requirements.lock platform-contracts platform-workflow-tools platform-runtime \
      platform-gateway platform-sandbox user-service payment-service listing-service analytics-service > platform.txt \
 && /opt/build/bin/pip install --quiet --require-hashes --no-deps --requirement build.txt \
 && /opt/build/bin/pip --python /opt/platform/bin/python install --quiet --require-hashes --no-deps \
      --only-binary :all: --requirement platform.txt
COPY libs libs
COPY services services
COPY gateway gateway
# Not the command line tool: it runs the local stack.
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels \
      ./libs/contracts ./libs/workflow_tools ./libs/runtime ./libs/sandbox ./services/* ./gateway \
 && /opt/build/bin/pip --python /opt/platform/bin/python install --quiet --no-deps --no-index /wheels/*.whl \
 && /opt/build/bin/pip --python /opt/platform/bin/python check

FROM ${BASE_IMAGE}
COPY --from=build /opt/platform /opt/platform
ENV PATH=/opt/platform/bin:${PATH} \
    # A line of the log is there at once, and nothing is written beside the code.
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SECRETS_DIRECTORY=/run/secrets
WORKDIR /opt/platform
# Where the acquirer keeps its book; a volume that is mounted here belongs to whom this belongs to.
RUN install -d -o 10001 -g 10001 -m 700 /data
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
CMD ["python", "-m", "platform_gateway"]
