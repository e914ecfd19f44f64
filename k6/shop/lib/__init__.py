# SPDX-License-Identifier: Apache-2.0
"""What k6/run and k6/shop/shop are made of. Python standard library only."""
